#include "num/eigen.h"

#include <limits.h>
#include <stdlib.h>

#include "num/blas.h"
#include "num/check.h"

/* LAPACK's own interface: column-major, everything by pointer. */
extern void dsyevd_(const char *jobz, const char *uplo, const int *n, double *a, const int *lda, double *w,
                    double *work, const int *lwork, int *iwork, const int *liwork, int *info);

cot_code cot_eigen_symmetric(double *a, size_t d, double *ret_values, struct cot_err *err)
{
    double work_size = 0;
    int iwork_size = 0;
    int info = 0;
    int ask = -1;
    int n = (int)d;
    double *work = NULL;
    int *iwork = NULL;
    cot_code rc = COT_OK;
    if (d == 0 || d > 30000)
        return cot_fail(err, COT_LIMIT, "eigenvectors of a %zu x %zu matrix: 1 to 30000 columns", d, d);
    cot_blas_one_thread();
    /* The row-major lower triangle is the column-major upper one; eigenvectors come as columns: our rows. */
    dsyevd_("V", "U", &n, a, &n, ret_values, &work_size, &ask, &iwork_size, &ask, &info);
    if (info != 0 || work_size > INT_MAX)
        return cot_fail(err, COT_INTERNAL, "dsyevd on %zu columns asks for %g numbers (info %d)", d, work_size, info);
    int lwork = (int)work_size;
    work = cot_alloc_array((size_t)lwork, 1, sizeof *work);
    iwork = cot_alloc_array((size_t)iwork_size, 1, sizeof *iwork);
    if (work == NULL || iwork == NULL) {
        rc = cot_fail(err, COT_NOMEM, "eigenvectors of a %zu x %zu matrix", d, d);
        goto out;
    }
    dsyevd_("V", "U", &n, a, &n, ret_values, work, &lwork, iwork, &iwork_size, &info);
    if (info != 0)
        rc = cot_fail(err, COT_INTERNAL, "dsyevd on %zu columns does not converge (info %d)", d, info);
out:
    free(work);
    free(iwork);
    return rc;
}
