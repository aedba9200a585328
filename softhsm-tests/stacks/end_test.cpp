// What happens at an end that comes too early: of what is behind a token, or of p11mime itself.

#include <algorithm>
#include <catch2/catch.hpp>
#include <csignal>
#include <regex>
#include <sstream>

#include "softhsm-tests/stacks/remote.h"
#include "softhsm-tests/stacks/tpm.h"
#include "softhsm-tests/support/built.h"
#include "softhsm-tests/support/program.h"
#include "softhsm-tests/support/skip.h"

using namespace p11mime::test;

namespace {

const Leaf kSigner{.name = "RSA", .email = "rsa@example.gov"};

std::string counting_module() {
    return built_path("libp11mime-failing-call.so");
}

/// end_at is the environment of counting_module() that has a process get a signal before a call; 0 is the one that
/// makes the call.
std::map<std::string, std::string> end_at(std::size_t call, int signal, pid_t process, const std::string& log) {
    return {{"P11MIME_FAILING_CALL", std::to_string(call)},
            {"P11MIME_FAILING_KILL", std::to_string(signal) + " " + std::to_string(process)},
            {"P11MIME_FAILING_LOG", log}};
}

std::vector<std::string> lines(const std::string& file) {
    std::vector<std::string> all;
    std::istringstream in(std::filesystem::exists(file) ? read_file(file) : "");
    for (std::string line; std::getline(in, line);)
        all.push_back(line);
    return all;
}

/// is_signed says whether the mail had its signature before a call, counted from 1.
bool is_signed(const std::vector<std::string>& calls, std::size_t call) {
    return std::find(calls.begin(), calls.begin() + static_cast<std::ptrdiff_t>(call) - 1, "C_Sign") !=
           calls.begin() + static_cast<std::ptrdiff_t>(call) - 1;
}

bool reached(const std::vector<std::string>& calls) {
    return std::any_of(calls.begin(), calls.end(), [](const std::string& line) { return line.ends_with(" failed"); });
}

/// Signing is a mail that is signed with a stack's key, and the calls that were counted meanwhile.
class Signing {
  public:
    explicit Signing(Stack& stack) : stack_(stack), text_(mail(stack.employ(kSigner).email, "bob@example.org")) {}

    std::string output() const { return stack_.office.desk.path("signed.eml"); }
    std::string log() const { return stack_.office.desk.path("calls.log"); }
    std::vector<std::string> calls() const { return lines(log()); }

    Outcome run(const std::map<std::string, std::string>& more = {}, const Arguments& options = {}) const {
        std::filesystem::remove(output());
        std::filesystem::remove(log());
        Command command = stack_.office.desk.p11mime_command(Arguments{"sign", "-o", output()} + options);
        for (const auto& [name, value] : more)
            command.environment[name] = value;
        command.input = text_;
        command.timeout = std::chrono::seconds(60);
        return run_process(command);
    }

    /// check_signed: openssl verifies the output.
    void check_signed() const {
        done(stack_.office.desk.run(Arguments{"openssl", "cms", "-verify", "-in", output()} +
                                    stack_.office.peer_trust()));
    }

    /// check_whole_or_nothing: the mail is signed, or there is none and p11mime has said what to do. Modules may say
    /// something of their own before.
    void check_whole_or_nothing(const Outcome& outcome) const {
        INFO(outcome.err);
        if (outcome.status == 0) return check_signed();
        CHECK(outcome.status == 4);
        CHECK(std::regex_search(outcome.err, std::regex("(^|\n)p11mime: [^\n]+; [^\n]+\n")));
        CHECK_FALSE(std::filesystem::exists(output()));
    }

  private:
    Stack& stack_;
    std::string text_;
};

/// step is how many calls are passed over: a sanitized program is slow.
std::size_t step() {
    return is_sanitized() ? 7 : 1;
}

/// check_deaths signs again and again, and has what `restart` starts and names die before another call each time.
void check_deaths(Stack& stack, const std::string& module, const std::function<pid_t()>& restart) {
    const Signing signing(stack);
    int refused = 0;
    for (std::size_t call = 1;; call += step()) {
        std::map<std::string, std::string> environment = end_at(call, SIGKILL, restart(), signing.log());
        environment["P11MIME_FAILING_MODULE"] = module;
        const Outcome outcome =
            signing.run(environment, {"--module", counting_module(), "--pin-source", "env:DESK_PIN"});
        const std::vector<std::string> calls = signing.calls();
        if (!reached(calls)) {
            INFO(outcome.err);
            CHECK(outcome.status == 0);
            break;
        }
        INFO("call " << call << ", " << calls.at(call - 1));
        signing.check_whole_or_nothing(outcome);
        CHECK((calls.back().starts_with("C_Finalize") || calls.size() == 1));  // 1: C_Initialize itself has failed
        refused += outcome.status != 0 ? 1 : 0;
    }
    CHECK(refused > 10 / static_cast<int>(step()));
}

/// unless_unavailable does what it is given, or says why not.
template <class Test>
void unless_unavailable(Test test) {
    try {
        test();
    } catch (const Unavailable& reason) {
        skip(reason.what());
    }
}

}  // namespace

TEST_CASE("a p11-kit server that dies at any call gives exit 4, a hint and no output", "[stacks]") {
    unless_unavailable([] {
        RemoteStack::need();
        RemoteStack stack;
        const Signing signing(stack);
        int refused = 0;
        for (std::size_t call = 1;; call += step()) {
            stack.restart(counting_module(), end_at(call, SIGKILL, 0, signing.log()));
            const Outcome outcome = signing.run();
            const std::vector<std::string> calls = signing.calls();
            if (!reached(calls)) {
                CHECK(calls.size() < call);
                CHECK(outcome.status == 0);
                break;
            }
            INFO("call " << call << ", " << calls.back());
            signing.check_whole_or_nothing(outcome);
            refused += outcome.status != 0 ? 1 : 0;
        }
        CHECK(refused > 10 / static_cast<int>(step()));
    });
}

TEST_CASE("a p11-kit server that dies between any two calls gives exit 4, a hint and no output", "[stacks]") {
    unless_unavailable([] {
        RemoteStack::need();
        RemoteStack stack;
        check_deaths(stack, RemoteStack::kModule, [&] {
            stack.restart(SoftHsm::module(), {});
            return stack.group();
        });
    });
}

TEST_CASE("a TPM that crashes at any call gives exit 4, a hint and no output", "[stacks]") {
    unless_unavailable([] {
        TpmStack::need(TpmStack::Way::direct);
        TpmStack stack(TpmStack::Way::direct);
        stack.employ(kSigner);
        stack.keep();
        check_deaths(stack, TpmStack::kModule, [&] {
            stack.restart();
            return stack.pid();
        });
    });
}

TEST_CASE("p11mime leaves no session in a TPM, however it ends", "[stacks]") {
    unless_unavailable([] {
        TpmStack::need(TpmStack::Way::direct);
        TpmStack stack(TpmStack::Way::direct);
        const Signing signing(stack);
        stack.office.desk.environment["WRONG_PIN"] = "999999";
        CHECK(signing.run().status == 0);
        CHECK(stack.sessions().empty());
        CHECK(signing.run({}, {"--pin-source", "env:WRONG_PIN"}).status == 4);
        CHECK(stack.sessions().empty());

        const auto ended_at = [&](std::size_t call, int signal) {
            std::map<std::string, std::string> environment = end_at(call, signal, 0, signing.log());
            environment["P11MIME_FAILING_MODULE"] = TpmStack::kModule;
            const Outcome outcome =
                signing.run(environment, {"--module", counting_module(), "--pin-source", "env:DESK_PIN"});
            return outcome.status;
        };
        ended_at(1000, SIGTERM);  // none
        const std::vector<std::string> calls = signing.calls();
        const auto sign = static_cast<std::size_t>(std::find(calls.begin(), calls.end(), "C_Sign") - calls.begin() + 1);
        REQUIRE(sign < calls.size());
        for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
            CHECK(ended_at(sign, signal) == 128 + signal);
            CHECK(signing.calls().back() == "C_Finalize");
            CHECK(stack.sessions().empty());
            CHECK_FALSE(std::filesystem::exists(signing.output()));
        }
        CHECK(ended_at(sign, SIGKILL) == 128 + SIGKILL);
        CHECK_FALSE(stack.sessions().empty());  // so that is what a session left behind looks like
    });
}

TEST_CASE("a signal at any call ends p11mime only after C_Finalize", "[stacks]") {
    struct SoftHsmStack final : Stack {
        SoftHsmStack() : Stack({.token = "Desk", .pin = std::string(kUserPin)}) {}
        Identity put(const Leaf& leaf) override { return import(leaf); }
    };
    SoftHsmStack stack;
    const Signing signing(stack);
    const int signal = GENERATE(SIGINT, SIGTERM);
    int ended = 0;
    for (std::size_t call = 1;; call += step()) {
        const Outcome outcome = signing.run(end_at(call, signal, 0, signing.log()),
                                            {"--module", counting_module(), "--pin-source", "env:DESK_PIN"});
        const std::vector<std::string> calls = signing.calls();
        if (!reached(calls)) break;
        INFO("call " << call << ", " << calls.at(call - 1) << ": " << outcome.err);
        CHECK(calls.back().starts_with("C_Finalize"));
        CHECK((outcome.status == 128 + signal || outcome.status == 0));
        if (std::filesystem::exists(signing.output())) signing.check_signed();  // it was done by then
        CHECK(std::filesystem::exists(signing.output()) == (outcome.status == 0 || is_signed(calls, call)));
        ended += outcome.status != 0 ? 1 : 0;
    }
    CHECK(ended > 10 / static_cast<int>(step()));
}
