/* Runs a fuzz harness over its committed corpus without libFuzzer: `make test` replays every input that ever mattered.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MAX_INPUT_SIZE = 1 << 20 };

static int replay_file(const char *path)
{
    static uint8_t input[MAX_INPUT_SIZE];
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        perror(path);
        return 1;
    }
    size_t size = fread(input, 1, sizeof input, file);
    fclose(file);
    /* An exact copy, so that a read past the end is one that ASan sees. */
    uint8_t *copy = malloc(size > 0 ? size : 1);
    if (copy == NULL)
        return 1;
    memcpy(copy, input, size);
    LLVMFuzzerTestOneInput(copy, size);
    free(copy);
    return 0;
}

int main(int argc, char **argv)
{
    int n_files = 0;
    DIR *folder = argc == 2 ? opendir(argv[1]) : NULL;
    if (folder == NULL) {
        fprintf(stderr, "usage: %s FOLDER\n", argv[0]);
        return 64;
    }
    const struct dirent *entry;
    while ((entry = readdir(folder)) != NULL) {
        char path[4096];
        if (entry->d_name[0] == '.')
            continue;
        snprintf(path, sizeof path, "%s/%s", argv[1], entry->d_name);
        if (replay_file(path) != 0) {
            closedir(folder);
            return 1;
        }
        n_files++;
    }
    closedir(folder);
    printf("%d inputs\n", n_files);
    return n_files > 0 ? 0 : 1;
}
