#include "softhsm-tests/support/process.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <fstream>
#include <stdexcept>
#include <system_error>
#include <thread>
#include <utility>

extern char** environ;

namespace p11mime::test {

namespace {

void require_no_error(int error, const std::string& what) {
    if (error != 0) throw std::system_error(error, std::generic_category(), what);
}

/// Descriptor owns a file descriptor.
class Descriptor {
  public:
    explicit Descriptor(int number) : number_(number) {}
    Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
    Descriptor& operator=(Descriptor&&) = delete;
    ~Descriptor() { close(); }

    int number() const { return number_; }
    void close() {
        if (number_ >= 0) ::close(number_);
        number_ = -1;
    }

  private:
    int number_;
};

struct Pipe {
    Descriptor read_end;
    Descriptor write_end;
};

Pipe make_pipe() {
    std::array<int, 2> ends{};
    require_no_error(::pipe2(ends.data(), O_CLOEXEC) == 0 ? 0 : errno, "pipe");
    return {Descriptor(ends[0]), Descriptor(ends[1])};
}

/// write_all ends early where the reader has gone.
bool write_all(const Descriptor& to, std::string_view bytes) {
    while (!bytes.empty()) {
        const ssize_t count = ::write(to.number(), bytes.data(), bytes.size());
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) return false;
        bytes.remove_prefix(static_cast<std::size_t>(count));
    }
    return true;
}

void feed(const Command& command, Descriptor to) {
    sigset_t broken_pipe;
    sigemptyset(&broken_pipe);
    sigaddset(&broken_pipe, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &broken_pipe, nullptr);
    if (!command.generate) {
        write_all(to, command.input);
        return;
    }
    for (std::string_view piece = command.generate(); !piece.empty(); piece = command.generate())
        if (!write_all(to, piece)) return;
}

void collect(const Descriptor& from, const std::function<void(std::string_view)>& consume) {
    std::vector<char> buffer(256 * 1024);
    while (true) {
        const ssize_t count = ::read(from.number(), buffer.data(), buffer.size());
        if (count < 0 && errno == EINTR) continue;
        if (count <= 0) return;
        consume({buffer.data(), static_cast<std::size_t>(count)});
    }
}

std::vector<std::string> merged_environment(const std::map<std::string, std::string>& added) {
    std::map<std::string, std::string> all;
    for (char** entry = environ; *entry != nullptr; ++entry) {
        const std::string text = *entry;
        const std::size_t equals = text.find('=');
        if (equals != std::string::npos) all[text.substr(0, equals)] = text.substr(equals + 1);
    }
    for (const auto& [name, value] : added)
        all[name] = value;
    std::vector<std::string> entries;
    for (const auto& [name, value] : all)
        entries.push_back(name + "=" + value);
    return entries;
}

std::vector<char*> pointers(std::vector<std::string>& strings) {
    std::vector<char*> result;
    for (std::string& text : strings)
        result.push_back(text.data());
    result.push_back(nullptr);
    return result;
}

pid_t spawn(const Command& command, int input, int output, int error) {
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, input, 0);
    posix_spawn_file_actions_adddup2(&actions, output, 1);
    posix_spawn_file_actions_adddup2(&actions, error, 2);
    if (!command.directory.empty()) posix_spawn_file_actions_addchdir_np(&actions, command.directory.c_str());
    std::vector<std::string> arguments = command.arguments;
    std::vector<std::string> environment = merged_environment(command.environment);
    pid_t pid = 0;
    const int failure = posix_spawnp(&pid, arguments.front().c_str(), &actions, nullptr, pointers(arguments).data(),
                                     pointers(environment).data());
    posix_spawn_file_actions_destroy(&actions);
    require_no_error(failure, arguments.front());
    return pid;
}

// peak_so_far is what VmHWM says of a process, in KiB; 0 once it has ended.
std::uint64_t peak_so_far(pid_t pid) {
    std::ifstream status("/proc/" + std::to_string(pid) + "/status");
    for (std::string word; status >> word;)
        if (word == "VmHWM:" && status >> word) return std::stoull(word);
    return 0;
}

struct Ended {
    int status;
    std::uint64_t peak_kib;
    bool in_time;
};

Ended wait_for(pid_t pid, std::chrono::seconds timeout) {
    const auto deadline = std::chrono::steady_clock::now() + timeout;
    int status = 0;
    std::uint64_t peak = 0;
    rusage usage{}, own{};
    bool in_time = true;
    while (wait4(pid, &status, in_time ? WNOHANG : 0, &usage) == 0) {
        peak = std::max(peak, peak_so_far(pid));
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
        if (std::chrono::steady_clock::now() < deadline) continue;
        in_time = false;
        kill(pid, SIGKILL);
    }
    // A process inherits the peak of the test itself: what the system says is its own only where that is higher.
    getrusage(RUSAGE_SELF, &own);
    if (usage.ru_maxrss > own.ru_maxrss) peak = static_cast<std::uint64_t>(usage.ru_maxrss);
    return {WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status), peak, in_time};
}

}  // namespace

Outcome run_process(const Command& command) {
    Pipe input = make_pipe();
    Pipe output = make_pipe();
    Pipe error = make_pipe();
    if (!command.input_file.empty()) {
        Descriptor file(::open(command.input_file.c_str(), O_RDONLY | O_CLOEXEC));
        require_no_error(file.number() >= 0 ? 0 : errno, command.input_file);
        require_no_error(::dup3(file.number(), input.read_end.number(), O_CLOEXEC) >= 0 ? 0 : errno,
                         command.input_file);
    }
    const pid_t pid = spawn(command, input.read_end.number(), output.write_end.number(), error.write_end.number());
    input.read_end.close();
    output.write_end.close();
    error.write_end.close();

    Outcome outcome;
    Ended ended{};
    {
        std::jthread writer([&, to = std::move(input.write_end)]() mutable { feed(command, std::move(to)); });
        std::jthread reader([&] {
            collect(
                output.read_end,
                command.consume ? command.consume : [&](std::string_view piece) { outcome.out += piece; });
        });
        std::jthread error_reader(
            [&] { collect(error.read_end, [&](std::string_view piece) { outcome.err += piece; }); });
        ended = wait_for(pid, command.timeout);
    }
    if (!ended.in_time) {
        std::string line = "took too long and was killed:";
        for (const std::string& argument : command.arguments)
            line += " " + argument;
        throw std::runtime_error(line);
    }
    outcome.status = ended.status;
    outcome.peak_kib = ended.peak_kib;
    return outcome;
}

Background::Background(const Command& command, const std::string& log) {
    const Descriptor input(::open("/dev/null", O_RDONLY | O_CLOEXEC));
    const Descriptor output(::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
    require_no_error(input.number() >= 0 && output.number() >= 0 ? 0 : errno, log);
    Command bound = command;
    bound.arguments = {"setpriv", "--pdeathsig", "KILL", "--"};
    bound.arguments.insert(bound.arguments.end(), command.arguments.begin(), command.arguments.end());
    pid_ = spawn(bound, input.number(), output.number(), output.number());
}

Background::Background(Background&& other) noexcept : pid_(std::exchange(other.pid_, 0)) {}

bool Background::running() {
    if (pid_ != 0 && waitpid(pid_, nullptr, WNOHANG) == pid_) pid_ = 0;
    return pid_ != 0;
}

void Background::kill() {
    if (!running()) return;
    ::kill(pid_, SIGKILL);
    waitpid(std::exchange(pid_, 0), nullptr, 0);
}

void wait_until(const std::function<bool()>& condition, const std::string& what) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::minutes(1);
    while (!condition()) {
        if (std::chrono::steady_clock::now() > deadline) throw std::runtime_error("waited in vain: " + what);
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
}

}  // namespace p11mime::test
