/* printf and scanf: floating point in every form, integers, strings, and back. */
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "programs.h"

static void show(double v)
{
    printf("%.17g %e %.3f %g %a %10.2f|%-12.4e|%+.0f\n", v, v, v, v, v, v, v, v);
}

static void around(void)
{
    uint64_t seed = 2024;
    unsigned same = 0;
    for (unsigned i = 0; i < 300; i++) {
        uint64_t bits = next_random(&seed);
        double v, back;
        char text[64];
        memcpy(&v, &bits, sizeof v);
        if (!isfinite(v))
            continue;
        snprintf(text, sizeof text, "%.17g", v);
        back = strtod(text, NULL);
        same += memcmp(&v, &back, sizeof v) == 0;
        if (i % 25 == 0)
            puts(text);
    }
    printf("round trips %u\n", same);
}

static void scans(void)
{
    int a = 0, n = 0;
    unsigned b = 0;
    double d = 0;
    float f = 0;
    char word[16] = "";
    int fields =
        sscanf("-42 0xff 3.25e2 1.1 words", "%d %x %lf %f %15s%n", &a, &b, &d, &f, word, &n);
    printf("%d: %d %u %g %.9g %s %d\n", fields, a, b, d, (double)f, word, n);
    printf("%lld %llu %ld\n", strtoll("-9223372036854775808", NULL, 10),
           strtoull("18446744073709551615", NULL, 0), strtol("0777", NULL, 0));
}

void program_printing(void)
{
    static const double values[] = {0.0,     -0.0,    1.0,    0.1,  1e23, 123456.789,
                                    DBL_MAX, DBL_MIN, 5e-324, -2.5, 1e-7, 9007199254740993.0,
                                    0.5};
    for (unsigned i = 0; i < sizeof values / sizeof *values; i++)
        show(values[i]);
    printf("%5d|%-5d|%05d|%x|%#o|%+d|%c|%10s|%-10.3s|%%|%hhd|%zu\n", 42, 42, 42, 0xbeefu, 8u, 7,
           'x', "right", "left", (signed char)-1, sizeof(int));
    printf("%*.*f %lld %llx\n", 12, 4, 3.14159265358979, (long long)INT64_MIN, ~0ull);
    around();
    scans();
}
