# check.sh FOLDER: runs Debian's programs, in a guest and on the host, which must say the same.
PATH=/usr/bin:/bin
export PATH
cd "$1" || exit 1
echo "== python"
python3 check.py 2>&1
echo "== perl"
perl check.pl 2>&1
echo "== sqlite3"
sqlite3 :memory: <check.sql 2>&1
echo "== gzip"
i=0
while [ $i -lt 2000 ]; do
    echo "line $i $((i * i % 997)) of a text that packs well"
    i=$((i + 1))
done >text
for level in 1 6 9; do
    /bin/gzip -$level -c text >text.gz && /bin/gzip -t text.gz && /bin/gzip -dc text.gz | cmp - text && echo "gzip $level same"
done
echo "== openssl"
for name in md5 sha1 sha256 sha512 sha3-256 blake2b512; do
    openssl dgst -$name -r text
done
# FIPS 197 appendix C: AES with keys of 128, 192 and 256 bits.
key=000102030405060708090a0b0c0d0e0f1011121314151617 last=18191a1b1c1d1e1f
plain='\000\021\042\063\104\125\146\167\210\231\252\273\314\335\356\377'
for bits in 128 192 256; do
    k=$key$last
    printf "$plain" | openssl enc -aes-$bits-ecb -nopad -K "$(printf %.$((bits / 4))s "$k")" | od -An -tx1
done
for cipher in aes-256-cbc aes-128-ctr chacha20 camellia-128-cbc; do
    openssl enc -$cipher -pbkdf2 -pass pass:word -in text -out text.enc &&
        openssl enc -d -$cipher -pbkdf2 -pass pass:word -in text.enc | cmp - text && echo "$cipher same"
done
openssl prime 1000000007 4294967297 | sed 's/.* (\([0-9]*\)) /\1 /'
openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:1024 -out key.pem 2>/dev/null
openssl dgst -sha256 -sign key.pem -out text.sig text
openssl pkey -in key.pem -pubout -out public.pem
openssl dgst -sha256 -verify public.pem -signature text.sig text
openssl genpkey -algorithm ED25519 -out ed.pem
openssl pkeyutl -sign -rawin -inkey ed.pem -in text.sig -out ed.sig
openssl pkeyutl -verify -rawin -inkey ed.pem -in text.sig -sigfile ed.sig
