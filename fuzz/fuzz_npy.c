/* NumPy arrays: any bytes are refused or give a matrix of finite numbers of the size that they say. */
#include <math.h>
#include <stdlib.h>

#include "num/array.h"

int LLVMFuzzerTestOneInput(const unsigned char *bytes, size_t size);

int LLVMFuzzerTestOneInput(const unsigned char *bytes, size_t size)
{
    struct cot_array array = {0};
    if (cot_npy_decode(bytes, size, &array, NULL) == COT_OK) {
        for (size_t i = 0; i < array.n * array.d; i++)
            if (!isfinite(array.data[i]))
                abort();
    }
    cot_array_release(&array);
    return 0;
}
