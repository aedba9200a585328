#include "cli/watch_event.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <spawn.h>
#include <unistd.h>

#include <map>

#include "cli/child_environment.h"
#include "cli/json.h"
#include "cli/system_error.h"

namespace p11mime::cli {

namespace {

using Kind = WatchEvent::Kind;

Json text_or_null(const std::string& text) {
    return text.empty() ? Json(nullptr) : Json(text);
}

std::map<std::string, std::string> variables(const WatchEvent& event) {
    const token::TokenInfo token = event.tokens.empty() ? token::TokenInfo{} : event.tokens.front();
    return {{"P11MIME_EVENT", std::string(name(event.kind))},
            {"P11MIME_INITIAL", event.initial ? "1" : ""},
            {"P11MIME_READER", event.reader},
            {"P11MIME_ATR", event.atr},
            {"P11MIME_TOKEN", token.label},
            {"P11MIME_SERIAL", token.serial},
            {"P11MIME_MODULE", token.module}};
}

// ChildSetup is what a child starts with: no signal blocked or ignored, no descriptor of ours, nothing to read.
class ChildSetup {
  public:
    ChildSetup() {
        posix_spawnattr_init(&attributes_);
        sigset_t signals;
        sigemptyset(&signals);
        posix_spawnattr_setsigmask(&attributes_, &signals);
        sigaddset(&signals, SIGPIPE);
        sigaddset(&signals, SIGCHLD);
        posix_spawnattr_setsigdefault(&attributes_, &signals);
        posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
        posix_spawn_file_actions_init(&actions_);
        posix_spawn_file_actions_addopen(&actions_, 0, "/dev/null", O_RDONLY, 0);
        posix_spawn_file_actions_adddup2(&actions_, 2, 1);
        posix_spawn_file_actions_addclosefrom_np(&actions_, 3);
    }
    ~ChildSetup() {
        posix_spawn_file_actions_destroy(&actions_);
        posix_spawnattr_destroy(&attributes_);
    }
    ChildSetup(const ChildSetup&) = delete;
    ChildSetup& operator=(const ChildSetup&) = delete;

    const posix_spawnattr_t* attributes() const { return &attributes_; }
    const posix_spawn_file_actions_t* actions() const { return &actions_; }

  private:
    posix_spawnattr_t attributes_{};
    posix_spawn_file_actions_t actions_{};
};

}  // namespace

std::string_view name(Kind kind) {
    switch (kind) {
        case Kind::pcscd_started:
            return "pcscd-started";
        case Kind::pcscd_stopped:
            return "pcscd-stopped";
        case Kind::reader_added:
            return "reader-added";
        case Kind::reader_removed:
            return "reader-removed";
        case Kind::card_inserted:
            return "card-inserted";
        case Kind::card_removed:
            return "card-removed";
    }
    return "";
}

std::string event_line(const WatchEvent& event) {
    std::string line = fmt::format("{} {}", cms::format_time(event.time), name(event.kind));
    if (!event.reader.empty()) line += fmt::format(" '{}'", event.reader);
    for (const token::TokenInfo& token : event.tokens)
        line += fmt::format(", token '{}' (serial {})", token.label, token.serial);
    return line;
}

std::string event_json(const WatchEvent& event) {
    Json json;
    json["event"] = name(event.kind);
    json["time"] = cms::format_time(event.time);
    json["initial"] = event.initial;
    json["reader"] = text_or_null(event.reader);
    json["atr"] = text_or_null(event.atr);
    json["tokens"] = Json::array();
    for (const token::TokenInfo& token : event.tokens)
        json["tokens"].push_back({{"label", token.label},
                                  {"manufacturer", token.manufacturer},
                                  {"model", token.model},
                                  {"serial", token.serial},
                                  {"module", token.module},
                                  {"pin_state", name(token.pin_state)}});
    json["warnings"] = Json::array();
    for (const auto& warning : event.warnings)
        json["warnings"].push_back({{"kind", warning.kind}, {"message", warning.message}});
    return one_line(json);
}

void run_hook(const std::string& command, const WatchEvent& event, const std::vector<std::string>& hidden) {
    std::vector<std::string> words = {"sh", "-c", command};
    std::vector<std::string> environment = child_environment(hidden, variables(event));
    const ChildSetup setup;
    pid_t child = 0;
    const int failure = posix_spawn(&child, "/bin/sh", setup.actions(), setup.attributes(), null_ended(words).data(),
                                    null_ended(environment).data());
    if (failure != 0) throw system_error("cannot run '/bin/sh'", failure);
}

}  // namespace p11mime::cli
