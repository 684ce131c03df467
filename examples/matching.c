/* The assignment problem: three workers, four jobs, least total cost. */
#include <stdio.h>

#include "coterie/matching.h"

int main(void)
{
    const double cost[3][4] = {{4, 1, 3, 9}, {2, 0, 5, 8}, {3, 2, 2, 7}};
    size_t job[3];
    double total = 0;
    struct cot_err err = {0};

    if (cot_matching_solve(&cost[0][0], 3, 4, job, &total, &err) != COT_OK) {
        fprintf(stderr, "%s\n", err.message);
        return 1;
    }
    for (size_t worker = 0; worker < 3; worker++)
        printf("worker %zu takes job %zu at %.0f\n", worker, job[worker], cost[worker][job[worker]]);
    printf("total %.0f\n", total);
    /* The cheapest job of worker 1 is job 1, but giving that to worker 0 is better for all. */
    return total == 5 && job[0] == 1 && job[1] == 0 && job[2] == 2 ? 0 : 1;
}
