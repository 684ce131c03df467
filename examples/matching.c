/* The assignment problem: three agents, four jobs, least total cost. */
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
    for (size_t agent = 0; agent < 3; agent++)
        printf("agent %zu takes job %zu at %.0f\n", agent, job[agent], cost[agent][job[agent]]);
    printf("total %.0f\n", total);
    /* The cheapest job of agent 1 is job 1, but giving that to agent 0 is better for all. */
    return total == 5 && job[0] == 1 && job[1] == 0 && job[2] == 2 ? 0 : 1;
}
