// Runs a program without something that the kernel has: without sockets|keyrings PROGRAM ARGUMENT...
// Where the program makes a socket it is killed (SIGSYS); keyrings are not implemented (ENOSYS), as in many containers.
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <string_view>

namespace {

template <std::size_t size>
void forbid(sock_filter (&filter)[size]) {
    const sock_fprog program{size, filter};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0)
        return;
    std::perror("without");
    _exit(125);
}

void forbid_sockets() {
    sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_socket, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    forbid(filter);
}

void forbid_keyrings() {
    sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_add_key, 2, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_request_key, 1, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_keyctl, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    forbid(filter);
}

}  // namespace

int main(int count, char** arguments) {
    const std::string_view what = count > 2 ? arguments[1] : "";
    if (what == "sockets")
        forbid_sockets();
    else if (what == "keyrings")
        forbid_keyrings();
    else
        return 125;
    execvp(arguments[2], arguments + 2);
    std::perror(arguments[2]);
    return 127;
}
