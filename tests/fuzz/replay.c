/* Stands for libFuzzer where a target is only to take the inputs that are kept: each file named
 * once, in order, and nothing at all. An abort or a signal is a failure, as there.
 * tests/scenario/fuzz_replay.sh */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define INPUT_BYTES_MAX (1u << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv);
#pragma weak LLVMFuzzerInitialize

static uint8_t input[INPUT_BYTES_MAX];

int main(int argc, char **argv)
{
    if (LLVMFuzzerInitialize)
        LLVMFuzzerInitialize(&argc, &argv);
    LLVMFuzzerTestOneInput(input, 0);
    for (int i = 1; i < argc; i++) {
        FILE *file = fopen(argv[i], "rb");
        size_t size = file ? fread(input, 1, sizeof input, file) : 0;
        if (!file || ferror(file) || fclose(file)) {
            perror(argv[i]);
            return 2;
        }
        LLVMFuzzerTestOneInput(input, size);
    }
    printf("%d inputs\n", argc);
    return 0;
}
