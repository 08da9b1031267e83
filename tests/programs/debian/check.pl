# Perl at work: hashes, sorting, regular expressions, pack, sprintf, closures, local $_, recursion, POSIX.
# Prints the same wherever it runs; tests/scenario/debian.sh compares guest and host.
use strict;
use warnings;
use List::Util qw(sum max reduce);
use POSIX qw(floor ceil fmod strtol);

my %count;
my $text = join ' ', map { chr(97 + $_ * 7 % 26) x ($_ % 5 + 1) } 0 .. 400;
$count{$_}++ for split ' ', $text;
my @most = sort { $count{$b} <=> $count{$a} || $a cmp $b } keys %count;
print scalar(@most), ' ', join(' ', map { "$_=$count{$_}" } @most[0 .. 30]), "\n";
print join(',', sort { $a <=> $b } map { $_ * 7919 % 1009 } 1 .. 60), "\n";
(my $turned = 'hello world of tests') =~ s/(\w+) (\w+)/$2 $1/g;
print "$turned ", join('|', 'a1b22c333' =~ /(\d+)/g), ' ', ucfirst(lc 'SHOUT'), "\n";
print unpack('%32C*', $text), ' ', unpack('H*', pack('NnCa3w d>', 1 << 30, 515, 7, 'xyz', 300, 1.5)), "\n";
printf "%.15g %e %08.3f %x %o %s|%-6s|%+d\n", 1 / 3, 12345.678, 2.5, 255, 8, 1e21, 'left', 7;
my @fib = (0, 1);
push @fib, $fib[-1] + $fib[-2] while @fib < 90;
print "$fib[-1] ", sum(1 .. 1000), ' ', max(@fib[1 .. 5]), ' ', (reduce { $a * $b % 1000003 } 1 .. 500), "\n";
my @makers = map { my $n = $_; sub { $n += shift } } 1 .. 3;
print join(' ', map { $_->(10) + $_->(1) } @makers), ' ', floor(-2.5), ' ', ceil(2.1), ' ', fmod(7.5, 2), ' ', (strtol('7f', 16))[0], "\n";
sub hanoi { my ($n) = @_; return $n ? 2 * hanoi($n - 1) + 1 : 0 }
print hanoi(16), ' ', ~0, ' ', 9223372036854775807 + 0, ' ', -7 % 3, ' ', 2 ** 0.5, ' ', 10 / 3, "\n";
my $error = eval { die "caught\n"; 1 } ? '' : $@;
print $error, sprintf('%vd', '1.22.333'), ' ', join(',', map { sprintf '%03b', $_ } 0 .. 4), "\n";
local $_ = 'x' x 5000;
print length, ' ', tr/x/y/, ' ', substr($_, 10, 3), ' ', lc(join '', reverse split //, 'desreveR'), "\n";
