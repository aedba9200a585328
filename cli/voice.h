#pragma once

#include <functional>
#include <string>
#include <vector>

#include "cli/terminal.h"

namespace p11mime::cli {

/// Voice says what there is to say of one mail: at once, or, where it is one of many, with its name in front and all
/// together when it is done. What is said of content on the screen is held until the content is there.
class Voice {
  public:
    explicit Voice(Terminal& terminal, std::string name = {}) : terminal_(terminal), name_(std::move(name)) {}

    bool named() const { return !name_.empty(); }
    void say(const std::string& line, Tone tone = Tone::plain);
    void detail(const std::string& line);
    void warn(const std::string& line);
    void error(const std::string& message, const std::string& hint);
    void hold() { holds_ = true; }  ///< keeps what there is to say from now on
    void speak();                   ///< says what was kept

  private:
    std::string with_name(const std::string& line) const { return named() ? name_ + ": " + line : line; }
    void tell(std::function<void()> line);

    Terminal& terminal_;
    std::string name_;
    bool holds_ = false;
    std::vector<std::function<void()>> kept_;
};

}  // namespace p11mime::cli
