#include "cli/pinentry.h"

#include <assuan.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <gpg-error.h>
#include <openssl/crypto.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <thread>

#include "cli/child_environment.h"
#include "cli/fd.h"
#include "cli/signals.h"
#include "cli/terminal.h"
#include "mime/error.h"
#include "mime/hex.h"
#include "mime/shared_library.h"

namespace p11mime::cli {

namespace {

constexpr std::size_t kLongestText = 900;            // of a line of 1,000 bytes (Assuan manual, section 2.1)
constexpr auto kPatience = std::chrono::seconds(2);  // for a program that was told to end

// Assuan is the libraries' functions, as far as they are used.
struct Assuan {
    Assuan() {
        const SharedLibrary protocol("libassuan.so.0", "libassuan0");
        const SharedLibrary errors("libgpg-error.so.0", "libgpg-error0");
        protocol.take(make, "assuan_new");
        protocol.take(release, "assuan_release");
        protocol.take(set_flag, "assuan_set_flag");
        protocol.take(connect, "assuan_socket_connect_fd");
        protocol.take(write_line, "assuan_write_line");
        protocol.take(pending_line, "assuan_pending_line");
        protocol.take(read_line, "assuan_read_line");
        protocol.take(begin_confidential, "assuan_begin_confidential");
        errors.take(error_text, "gpg_strerror");
    }

    decltype(&assuan_new) make{};
    decltype(&assuan_release) release{};
    decltype(&assuan_set_flag) set_flag{};
    decltype(&assuan_socket_connect_fd) connect{};
    decltype(&assuan_write_line) write_line{};
    decltype(&assuan_pending_line) pending_line{};
    decltype(&assuan_read_line) read_line{};
    decltype(&assuan_begin_confidential) begin_confidential{};
    decltype(&gpg_strerror) error_text{};
};

const Assuan& assuan() {
    static const Assuan libraries;
    return libraries;
}

struct FreeContext {
    void operator()(assuan_context_s* context) const { assuan().release(context); }
};
using Context = std::unique_ptr<assuan_context_s, FreeContext>;

Error not_working(const std::string& program, const std::string& why) {
    return {ErrorKind::token, fmt::format("'{}' does not ask for the PIN: {}", program, why),
            "--pin-source tty asks on the terminal"};
}

std::string variable(const char* name) {
    const char* value = std::getenv(name);
    return value != nullptr ? value : "";
}

// Child is the running program; it is gone when this is.
class Child {
  public:
    Child(const std::string& program, const std::vector<std::string>& hidden, int stream) {
        posix_spawn_file_actions_t actions;
        posix_spawn_file_actions_init(&actions);
        posix_spawn_file_actions_adddup2(&actions, stream, 0);
        posix_spawn_file_actions_adddup2(&actions, stream, 1);
        posix_spawnattr_t attributes;
        posix_spawnattr_init(&attributes);
        sigset_t defaults;
        sigemptyset(&defaults);
        sigaddset(&defaults, SIGPIPE);  // which is ignored here
        posix_spawnattr_setsigdefault(&attributes, &defaults);
        posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF);
        std::vector<std::string> variables = child_environment(hidden);
        std::string name = program;
        std::array<char*, 2> arguments{name.data(), nullptr};
        const int failure = ::posix_spawn(&pid_, program.c_str(), &actions, &attributes, arguments.data(),
                                          null_ended(variables).data());
        posix_spawnattr_destroy(&attributes);
        posix_spawn_file_actions_destroy(&actions);
        if (failure != 0) throw not_working(program, std::strerror(failure));
    }
    ~Child() {
        if (ended()) return;
        ::kill(pid_, SIGTERM);
        const auto deadline = std::chrono::steady_clock::now() + kPatience;
        while (!ended() && std::chrono::steady_clock::now() < deadline)
            std::this_thread::sleep_for(std::chrono::milliseconds(10));
        if (ended()) return;
        ::kill(pid_, SIGKILL);
        ::waitpid(pid_, nullptr, 0);
    }
    Child(const Child&) = delete;
    Child& operator=(const Child&) = delete;

    // wait is for one that was told to end in words.
    void wait() {
        while (!ended_ && ::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR)
            throw_if_interrupted();
        ended_ = true;
    }

  private:
    bool ended() {
        ended_ = ended_ || ::waitpid(pid_, nullptr, WNOHANG) == pid_;
        return ended_;
    }

    pid_t pid_ = -1;
    bool ended_ = false;
};

// escaped is a text as a line of the protocol has it, cut where it is too long.
std::string escaped(std::string_view text) {
    std::string line;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const bool begins_character = (static_cast<unsigned char>(text[i]) & 0xc0U) != 0x80;
        if (begins_character && line.size() > kLongestText - 16) return line + "...";
        if (text[i] == '%')
            line += "%25";
        else if (text[i] == '\n')
            line += "%0A";
        else
            line += text[i];
    }
    return line;
}

std::string description(const Question& question) {
    std::string text;
    for (const std::string& detail : question.details)
        text += (text.empty() ? "" : "\n") + visible(detail);
    return text;
}

// unescape takes the escapes out of a line of data and wipes it.
SecretBytes unescape(std::span<char> line) {
    SecretBytes secret(line.size());
    std::size_t size = 0;
    for (std::size_t i = 0; i < line.size(); ++i) {
        auto byte = static_cast<Byte>(line[i]);
        if (line[i] == '%' && i + 2 < line.size()) {
            byte = hex_byte(std::string_view(&line[i + 1], 2)).value_or(byte);
            i += 2;
        }
        secret.data()[size++] = byte;
    }
    OPENSSL_cleanse(line.data(), line.size());
    secret.shrink(size);
    return secret;
}

// Conversation is the program's side of the protocol, from its greeting to its end.
class Conversation {
  public:
    Conversation(std::string program, const std::vector<std::string>& hidden)
        : program_(std::move(program)),
          terminal_(open_terminal()),
          modes_(terminal_.get(), TerminalModes::Echo::as_is) {
        std::array<int, 2> ends{};
        if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0)
            throw not_working(program_, std::strerror(errno));
        stream_ = Fd(ends[0]);
        Fd other(ends[1]);
        child_ = std::make_unique<Child>(program_, hidden, other.get());
        other.reset();  // so that the stream ends with the program
        connect();
    }

    void option(std::string_view name, const std::string& value) {
        if (!value.empty()) (void)command(fmt::format("OPTION {}={}", name, escaped(value)));
    }

    // set gives the program a text to show.
    void set(std::string_view what, const std::string& text) {
        if (const gpg_error_t error = command(fmt::format("{} {}", what, escaped(text))))
            throw not_working(program_, assuan().error_text(error));
    }

    std::optional<SecretBytes> get() {
        assuan().begin_confidential(context_.get());
        std::optional<SecretBytes> typed;
        const gpg_error_t error = command("GETPIN", &typed);
        if (gpg_err_code(error) == GPG_ERR_CANCELED || gpg_err_code(error) == GPG_ERR_FULLY_CANCELED)
            return std::nullopt;
        if (error != 0) throw not_working(program_, assuan().error_text(error));
        if (typed && typed->empty()) return std::nullopt;
        return typed;
    }

    void end() {
        (void)command("BYE");
        context_.reset();
        stream_.reset();
        child_->wait();
    }

  private:
    static Fd open_terminal() { return Fd(::open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY)); }

    void connect() {
        assuan_context_t context = nullptr;
        if (const gpg_error_t error = assuan().make(&context)) throw not_working(program_, assuan().error_text(error));
        context_.reset(context);
        assuan().set_flag(context, ASSUAN_NO_FIXSIGNALS, 1);
        assuan().set_flag(context, ASSUAN_NO_LOGGING, 1);  // whatever ASSUAN_DEBUG says, no PIN is written anywhere
        wait_readable(stream_.get());
        const int own = ::fcntl(stream_.get(), F_DUPFD_CLOEXEC, 0);  // which the context closes
        if (const gpg_error_t error = assuan().connect(context, own, 0))
            throw not_working(program_, assuan().error_text(error));
    }

    // command waits for the answer to a line, and for a signal meanwhile. A line of data goes to `data`.
    gpg_error_t command(const std::string& line, std::optional<SecretBytes>* data = nullptr) {
        if (const gpg_error_t error = assuan().write_line(context_.get(), line.c_str())) return error;
        for (;;) {
            if (assuan().pending_line(context_.get()) == 0) wait_readable(stream_.get());
            char* answer = nullptr;
            size_t size = 0;
            if (const gpg_error_t error = assuan().read_line(context_.get(), &answer, &size)) return error;
            const std::string_view text(answer, size);
            if (text == "OK" || text.starts_with("OK ")) return 0;
            if (text.starts_with("ERR ")) return error_number(text.substr(4));
            if (text.starts_with("INQUIRE ")) return gpg_error(GPG_ERR_ASS_UNEXPECTED_CMD);
            if (text.starts_with("D ") && data != nullptr) *data = unescape({answer + 2, size - 2});
        }
    }

    static gpg_error_t error_number(std::string_view text) {
        gpg_error_t number = 0;
        std::from_chars(text.data(), text.data() + text.size(), number);
        return number != 0 ? number : gpg_error(GPG_ERR_GENERAL);
    }

    std::string program_;
    Fd terminal_;
    TerminalModes modes_;  // put back after a program that was ended in the middle
    Fd stream_;
    std::unique_ptr<Child> child_;
    Context context_;
};

// Where the program finds the terminal and the language (pinentry manual, section "Protocol").
void describe_surroundings(Conversation& pinentry) {
    const auto first = [](std::initializer_list<const char*> names) {
        for (const char* name : names)
            if (std::string value = variable(name); !value.empty()) return value;
        return std::string();
    };
    std::string terminal = variable("GPG_TTY");
    if (terminal.empty() && ::access("/dev/tty", R_OK | W_OK) == 0) terminal = "/dev/tty";
    pinentry.option("ttyname", terminal);
    pinentry.option("ttytype", variable("TERM"));
    pinentry.option("lc-ctype", first({"LC_ALL", "LC_CTYPE", "LANG"}));
    pinentry.option("lc-messages", first({"LC_ALL", "LC_MESSAGES", "LANG"}));
    pinentry.option("display", variable("DISPLAY"));
    pinentry.option("wayland-display", variable("WAYLAND_DISPLAY"));
}

}  // namespace

std::optional<std::string> Pinentry::find(const std::optional<std::string>& configured) {
    if (configured) return *configured;
    std::string directories = variable("PATH");
    for (std::size_t begin = 0; begin <= directories.size();) {
        const std::size_t end = std::min(directories.find(':', begin), directories.size());
        const std::string path = directories.substr(begin, end - begin) + "/pinentry";
        if (path.front() == '/' && path.size() > 9 && ::access(path.c_str(), X_OK) == 0) return path;
        begin = end + 1;
    }
    return std::nullopt;
}

// The option allow-external-password-cache is never given, so that no password manager is offered.
SecretBytes Pinentry::ask(const Question& question) const {
    Conversation pinentry(program_, hidden_);
    describe_surroundings(pinentry);
    pinentry.set("SETTITLE", "p11mime");
    pinentry.set("SETDESC", description(question));
    pinentry.set("SETPROMPT", visible(question.prompt) + ":");
    if (!question.refused.empty()) pinentry.set("SETERROR", visible(question.refused));
    auto secret = pinentry.get();
    pinentry.end();
    if (!secret) throw Error(ErrorKind::token, fmt::format("cancelled: no {} was given", question.prompt));
    return std::move(*secret);
}

}  // namespace p11mime::cli
