#include "cli/voice.h"

namespace p11mime::cli {

void Voice::say(const std::string& line, Tone tone) {
    tell([this, line, tone] { terminal_.say(with_name(line), tone); });
}

void Voice::detail(const std::string& line) {
    tell([this, line] { terminal_.detail(line); });
}

void Voice::warn(const std::string& line) {
    tell([this, line] { terminal_.warn(with_name(line)); });
}

void Voice::error(const std::string& message, const std::string& hint) {
    tell([this, message, hint] { terminal_.error(with_name(message), hint); });
}

void Voice::speak() {
    for (const auto& line : kept_)
        line();
    kept_.clear();
    holds_ = false;
}

void Voice::tell(std::function<void()> line) {
    if (named() || holds_)
        kept_.push_back(std::move(line));
    else
        line();
}

}  // namespace p11mime::cli
