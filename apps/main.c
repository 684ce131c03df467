#include "cli/command.h"

int main(int argc, char **argv)
{
    return cot_cli_main(argc, argv);
}
