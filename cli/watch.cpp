#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>

#include <algorithm>
#include <chrono>
#include <exception>
#include <map>
#include <thread>

#include "cli/commands.h"
#include "cli/config.h"
#include "cli/expiry.h"
#include "cli/fd.h"
#include "cli/pin_cache.h"
#include "cli/signals.h"
#include "cli/system_error.h"
#include "cli/watch_event.h"
#include "mime/error.h"
#include "mime/hex.h"
#include "mime/signals_held.h"
#include "token/readers.h"

namespace p11mime::cli {

namespace {

using Kind = WatchEvent::Kind;
using token::Reader;
using Readers = std::vector<Reader>;

constexpr time_t kPcscdAgain = 2;  // seconds until a pcscd that does not run is looked for again

const Reader* find(const Readers& readers, const std::string& name) {
    const auto found =
        std::find_if(readers.begin(), readers.end(), [&](const Reader& reader) { return reader.name == name; });
    return found == readers.end() ? nullptr : &*found;
}

// EventSink is where events go: standard output for people, or --json, one line each as it happens.
class EventSink {
  public:
    explicit EventSink(Context& context) : context_(context) {
        const auto path = context.options().text("json");
        if (!path || *path == "-") return;
        file_ = Fd(::open(path->c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666));
        if (!file_) throw system_error(fmt::format("cannot write '{}'", *path), errno);
    }

    void take(const WatchEvent& event) {
        if (context_.reports_to_stdout())
            context_.terminal().print_text(event_json(event));
        else
            context_.terminal().print(event_line(event));
        if (file_ && !write_all(file_.get(), event_json(event)))
            throw system_error(fmt::format("cannot write '{}'", *context_.options().text("json")), errno);
        for (const auto& warning : event.warnings)
            context_.terminal().warn(warning.message);
    }

  private:
    Context& context_;
    Fd file_;
};

// Watch compares what pcscd says with what it knows, and tells the difference.
class Watch {
  public:
    explicit Watch(Context& context)
        : context_(context), sink_(context), secret_variables_(secret_variables(config_files())) {}
    [[noreturn]] void run();

  private:
    void follow(const token::Readers& pcscd);
    void take_in(const Readers& found);
    void sleep_until_change(const token::Readers& pcscd) const;
    void inserted(const Reader& reader);
    void removed(const Reader& reader);
    void look_at_card(const Reader& reader, WatchEvent& event);
    WatchEvent now(Kind kind, const Reader* reader = nullptr) const;

    Context& context_;
    EventSink sink_;
    std::vector<std::string> secret_variables_;  // which the commands do not inherit
    Readers known_;
    std::map<std::string, std::vector<token::TokenInfo>> tokens_;  // by reader
    std::optional<bool> pcscd_runs_;
    bool initial_ = true;
};

void wait_for_pcscd() {
    const Fd timer(::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC));
    const itimerspec once{{0, 0}, {kPcscdAgain, 0}};
    if (!timer || ::timerfd_settime(timer.get(), 0, &once, nullptr) != 0) throw system_error("no timer", errno);
    wait_readable(timer.get());
}

void Watch::run() {
    for (;;) {
        try {
            const token::Readers pcscd;
            if (pcscd_runs_ == false) sink_.take(now(Kind::pcscd_started));
            pcscd_runs_ = true;
            follow(pcscd);
        } catch (const Error& error) {
            if (error.kind() != ErrorKind::token) throw;
            take_in({});  // what cannot be seen is gone
            if (pcscd_runs_ != false) {
                sink_.take(now(Kind::pcscd_stopped));
                context_.terminal().error(error.what(), error.hint());
            }
            pcscd_runs_ = false;
        }
        initial_ = false;
        wait_for_pcscd();
    }
}

void Watch::follow(const token::Readers& pcscd) {
    for (;;) {
        take_in(pcscd.list());
        initial_ = false;
        sleep_until_change(pcscd);
    }
}

// A thread waits in pcsc-lite, which no signal interrupts, and this one for it or a signal.
void Watch::sleep_until_change(const token::Readers& pcscd) const {
    const Fd news(::eventfd(0, EFD_CLOEXEC));
    if (!news) throw system_error("no event descriptor", errno);
    std::exception_ptr failure;
    {
        std::jthread waiter;
        {
            const SignalsHeld held;  // signals are this thread's
            waiter = std::jthread([&](const std::stop_token& stop) {
                try {
                    pcscd.wait(known_, std::nullopt, stop);
                } catch (...) {
                    failure = std::current_exception();
                }
                ::eventfd_write(news.get(), 1);
            });
        }
        wait_readable(news.get());
    }
    if (failure) std::rethrow_exception(failure);
}

void Watch::take_in(const Readers& found) {
    const Readers before = std::exchange(known_, found);
    for (const Reader& reader : before) {
        const Reader* still = find(found, reader.name);
        const bool same_card = still != nullptr && still->card && still->movements == reader.movements;
        if (reader.card && !same_card) removed(reader);
        if (still == nullptr) sink_.take(now(Kind::reader_removed, &reader));
    }
    for (const Reader& reader : found) {
        const Reader* knew = find(before, reader.name);
        if (knew == nullptr) sink_.take(now(Kind::reader_added, &reader));
        const bool same_card = knew != nullptr && knew->card && knew->movements == reader.movements;
        if (reader.card && !same_card) inserted(reader);
    }
}

void Watch::inserted(const Reader& reader) {
    WatchEvent event = now(Kind::card_inserted, &reader);
    if (reader.mute) event.warnings.push_back({"card", "the card does not answer: turn it round, clean its contacts"});
    try {
        look_at_card(reader, event);
    } catch (const Error& error) {
        if (error.kind() != ErrorKind::token) throw;
        event.warnings.push_back({"card", error.what()});  // pulled again, or no module for it
    }
    tokens_[reader.name] = event.tokens;
    sink_.take(event);
    if (const auto command = context_.options().text("on-insert")) run_hook(*command, event, secret_variables_);
}

// The modules are loaded for this alone, so that none holds the card, or a session, while nothing happens.
void Watch::look_at_card(const Reader& reader, WatchEvent& event) {
    token::TokensOptions narrowed{
        .modules = context_.options().list("module"), .token = std::nullopt, .turns = context_.run().turns()};
    if (const auto uri = context_.options().text("token")) narrowed.token = token::Uri::parse(*uri);
    const auto tokens = token::Tokens::open(std::move(narrowed), context_.pins());
    for (const auto& token : tokens->tokens()) {
        if (!token::may_be_slot_of(token->info().slot_description, reader)) continue;
        event.tokens.push_back(token->info());
        for (const auto& object : token->certificates()) {
            if (!object.certificate || object.certificate->is_ca()) continue;
            if (const auto end = ends_soon(*object.certificate, context_.now()))
                event.warnings.push_back({"certificate-ends-soon", *end});
        }
    }
}

void Watch::removed(const Reader& reader) {
    WatchEvent event = now(Kind::card_removed, &reader);
    event.tokens = std::exchange(tokens_[reader.name], {});
    for (const token::TokenInfo& token : event.tokens)
        forget_cached_pin(token);
    sink_.take(event);
    if (const auto command = context_.options().text("on-remove")) run_hook(*command, event, secret_variables_);
}

WatchEvent Watch::now(Kind kind, const Reader* reader) const {
    WatchEvent event{.kind = kind, .time = context_.now(), .initial = initial_};
    if (reader != nullptr) event.reader = reader->name;
    const bool of_card = kind == Kind::card_inserted || kind == Kind::card_removed;
    if (of_card) event.atr = hex(reader->atr);
    return event;
}

}  // namespace

int watch(Context& context) {
    ::signal(SIGCHLD, SIG_IGN);  // nobody waits for the commands
    try {
        Watch(context).run();
    } catch (const Error&) {
        if (interrupting_signal() == 0) throw;
    }
    return 0;
}

}  // namespace p11mime::cli
