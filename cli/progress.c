/* The bar that tools show on a terminal while they work. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"

#define BAR_CELLS 40

void cli_progress(u32 done, u32 total)
{
    char bar[BAR_CELLS + 1];
    if (!isatty(STDERR_FILENO) || !total || (done % CLI_PROGRESS_EVERY && done != total))
        return;
    memset(bar, ' ', BAR_CELLS);
    memset(bar, '=', (size_t)((u64)done * BAR_CELLS / total));
    bar[BAR_CELLS] = 0;
    fprintf(stderr, "\r[%s] %3u %%%s", bar, (u32)(100ull * done / total),
            done == total ? "\n" : "");
}
