#include "softhsm-tests/support/chromium.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <stdexcept>

namespace p11mime::test {

namespace {

using nlohmann::json;

constexpr const char* kProgram = "/usr/bin/chromium";
constexpr auto kPatience = std::chrono::seconds(90);

// Opened for both ways, a FIFO keeps nobody waiting for the other end.
int open_fifo(const std::string& path) {
    if (::mkfifo(path.c_str(), 0600) != 0) throw std::runtime_error("cannot make a FIFO");
    const int fd = ::open(path.c_str(), O_RDWR | O_CLOEXEC);
    if (fd < 0) throw std::runtime_error("cannot open a FIFO");
    return fd;
}

}  // namespace

bool Chromium::installed() {
    return std::filesystem::exists(kProgram);
}

Chromium::Chromium() : to_(open_fifo(directory_ / "to")), from_(open_fifo(directory_ / "from")) {
    // Descriptors 3 and 4 are the pipes of the protocol.
    const std::string script =
        "exec \"$0\" --headless --no-sandbox --no-zygote --disable-gpu --disable-dev-shm-usage --hide-scrollbars "
        "--no-first-run --disable-background-networking --disable-component-update --disable-sync "
        "--disable-crash-reporter --disable-breakpad --remote-debugging-pipe --user-data-dir=\"$1/profile\" "
        "about:blank 3<\"$1/to\" 4>\"$1/from\"";
    const std::string home = directory_.path().string();
    const Command command{.arguments = {"sh", "-c", script, kProgram, home}, .environment = {{"HOME", home}}};
    browser_.emplace(command, directory_ / "log");
    const json target = call("Target.createTarget", {{"url", "about:blank"}});
    session_ = call("Target.attachToTarget", {{"targetId", target["targetId"]}, {"flatten", true}})["sessionId"];
    for (const char* domain : {"Page", "Runtime", "Log", "Network", "Audits", "Accessibility"})
        call(std::string(domain) + ".enable");
    resize(900, 1200);
}

Chromium::~Chromium() {
    try {
        session_.clear();
        call("Browser.close");
        wait_until([this] { return !browser_->running(); }, "the end of the browser");
    } catch (const std::exception&) {
        browser_->kill();
    }
    ::close(to_);
    ::close(from_);
}

void Chromium::show(const std::string& path) {
    complaints_.clear();
    requests_.clear();
    loaded_ = false;
    call("Page.navigate", {{"url", "file://" + path}});
    while (!loaded_)
        note(receive());
}

void Chromium::resize(int width, int height, bool phone) {
    call("Emulation.setDeviceMetricsOverride",
         {{"width", width}, {"height", height}, {"deviceScaleFactor", 1}, {"mobile", phone}});
}

json Chromium::evaluate(const std::string& expression) {
    const json answer =
        call("Runtime.evaluate", {{"expression", expression}, {"returnByValue", true}, {"awaitPromise", true}});
    if (answer.contains("exceptionDetails")) throw std::runtime_error(answer["exceptionDetails"].dump());
    return answer["result"].value("value", json());
}

std::string Chromium::screenshot() {
    return call("Page.captureScreenshot", {{"format", "png"}, {"captureBeyondViewport", true}})["data"];
}

// The browser decodes the picture itself, on a page that allows everything.
std::map<std::string, int> Chromium::colours(const std::string& png) {
    call("Page.navigate", {{"url", "about:blank"}});
    const json counted =
        evaluate("(async () => { const image = new Image(); image.src = 'data:image/png;base64," + png +
                 "'; await image.decode(); const canvas = new OffscreenCanvas(image.width, image.height);"
                 "const context = canvas.getContext('2d'); context.drawImage(image, 0, 0);"
                 "const data = context.getImageData(0, 0, image.width, image.height).data; const count = {};"
                 "for (let i = 0; i < data.length; i += 4) { const name = '#' + [data[i], data[i + 1], data[i + 2]]"
                 ".map(v => v.toString(16).padStart(2, '0')).join(''); count[name] = (count[name] || 0) + 1; } return "
                 "count; })()");
    return counted.get<std::map<std::string, int>>();
}

std::vector<std::string> Chromium::accessible() {
    std::vector<std::string> nodes;
    const json tree = call("Accessibility.getFullAXTree");
    for (const json& node : tree["nodes"]) {
        if (node.value("ignored", false) || !node.contains("name") || !node.contains("role")) continue;
        const std::string name = node["name"].value("value", "");
        if (!name.empty()) nodes.push_back(node["role"].value("value", "") + ": " + name);
    }
    return nodes;
}

json Chromium::call(const std::string& method, const json& parameters) {
    const int id = ++last_id_;
    json message = {{"id", id}, {"method", method}, {"params", parameters}};
    if (!session_.empty()) message["sessionId"] = session_;
    const std::string text = message.dump() + '\0';
    for (std::size_t sent = 0; sent < text.size();) {
        const ssize_t count = ::write(to_, text.data() + sent, text.size() - sent);
        if (count < 0) throw std::runtime_error("cannot write to the browser");
        sent += static_cast<std::size_t>(count);
    }
    for (;;) {
        json answer = receive();
        if (answer.value("id", 0) != id) {
            note(answer);
            continue;
        }
        if (answer.contains("error")) throw std::runtime_error(method + ": " + answer["error"].dump());
        return answer["result"];
    }
}

json Chromium::receive() {
    const auto deadline = std::chrono::steady_clock::now() + kPatience;
    for (;;) {
        if (const std::size_t end = received_.find('\0'); end != std::string::npos) {
            json message = json::parse(received_.substr(0, end));
            received_.erase(0, end + 1);
            return message;
        }
        pollfd ready{from_, POLLIN, 0};
        if (::poll(&ready, 1, 1000) > 0) {
            char buffer[65536];
            const ssize_t count = ::read(from_, buffer, sizeof buffer);
            if (count > 0) received_.append(buffer, static_cast<std::size_t>(count));
        } else if (std::chrono::steady_clock::now() > deadline || !browser_->running()) {
            throw std::runtime_error("the browser says nothing: " + read_file(directory_ / "log"));
        }
    }
}

void Chromium::note(const json& event) {
    const std::string method = event.value("method", "");
    if (method == "Page.loadEventFired") loaded_ = true;
    if (method == "Network.requestWillBeSent") requests_.push_back(event["params"]["request"]["url"]);
    if (method == "Log.entryAdded" || method == "Runtime.consoleAPICalled" || method == "Runtime.exceptionThrown" ||
        method == "Audits.issueAdded")
        complaints_.push_back(event["params"].dump());
}

}  // namespace p11mime::test
