#pragma once

#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "softhsm-tests/support/process.h"
#include "softhsm-tests/support/temporary_directory.h"

namespace p11mime::test {

/// Chromium is a real browser without a window, with a profile of its own, that shows one page and is told what to do
/// and asked what it sees through the DevTools protocol over a pair of pipes.
class Chromium {
  public:
    /// installed says whether there is one on this machine.
    static bool installed();

    Chromium();
    ~Chromium();
    Chromium(const Chromium&) = delete;
    Chromium& operator=(const Chromium&) = delete;

    /// show loads a file and waits until it is there; what was complained of and asked for before is forgotten.
    void show(const std::string& path);
    /// resize makes the window so wide, in CSS pixels, as a phone's where `phone` is set.
    void resize(int width, int height, bool phone = false);

    /// evaluate is the value of a JavaScript expression in the page, whatever the page itself allows.
    nlohmann::json evaluate(const std::string& expression);
    /// screenshot is a PNG of the page from its top, in base64.
    std::string screenshot();
    /// colours counts the colours of a PNG in base64: "#0b6b34" and so on.
    std::map<std::string, int> colours(const std::string& png);
    /// accessible is what a screen reader is told: "role: name" for each node that has a name.
    std::vector<std::string> accessible();

    /// complaints is all that the page had written to the console, errors and violations of its policy among it;
    /// requests is all URLs that it asked for.
    const std::vector<std::string>& complaints() const { return complaints_; }
    const std::vector<std::string>& requests() const { return requests_; }

  private:
    nlohmann::json call(const std::string& method, const nlohmann::json& parameters = nlohmann::json::object());
    nlohmann::json receive();
    void note(const nlohmann::json& event);

    TemporaryDirectory directory_;
    int to_ = -1;
    int from_ = -1;
    std::optional<Background> browser_;
    std::string received_;
    std::string session_;
    int last_id_ = 0;
    bool loaded_ = false;
    std::vector<std::string> complaints_, requests_;
};

}  // namespace p11mime::test
