/* Before `main`, Rust opens /dev/null in the place of a closed standard output: `kfc build >&-` would write nothing and exit
 * with 0. Here, earlier still, a closed one becomes one that cannot be written, so that writing fails as it should. */
#include <fcntl.h>
#include <unistd.h>

__attribute__((constructor)) static void keep_closed_stdout_unwritable(void) {
    if (fcntl(STDOUT_FILENO, F_GETFD) != -1) {
        return;
    }
    int opened = open("/dev/null", O_RDONLY);
    if (opened != -1 && opened != STDOUT_FILENO) {
        dup2(opened, STDOUT_FILENO);
        close(opened);
    }
}
