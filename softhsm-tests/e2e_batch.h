#pragma once

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>
#include <sstream>

#include "softhsm-tests/support/office.h"

namespace p11mime::test {

/// Mailbag is an office with Alice's key on the token and mails from her to Bob in a directory "in", small and all
/// different.
struct Mailbag {
    explicit Mailbag(int count) {
        std::filesystem::create_directory(path("in"));
        for (int i = 0; i < count; ++i)
            (void)add(name(i), numbered(i));
    }

    static std::string name(int i) { return fmt::format("mail{}.eml", i); }
    static std::string numbered(int i) {
        return mail("alice@example.gov", "bob@example.org",
                    fmt::format("Content-Type: text/plain\r\n\r\nThis is mail {}, kindly meant.\r\n", i));
    }

    std::string path(const std::string& file) const { return office.desk.path(file); }
    std::string add(const std::string& file, std::string_view content) {
        names_.push_back(file);
        return office.desk.file("in/" + file, content);
    }
    const Arguments& files() {
        files_.clear();
        for (const std::string& file : names_)
            if (file.starts_with("mail")) files_.push_back(path("in/" + file));
        return files_;
    }

    /// signatures counts the layers of signatures around a mail, as openssl takes them off.
    int signatures(const std::string& file) const {
        int count = 0;
        for (std::string text = read_file(file);; ++count) {
            const Outcome outcome =
                office.desk.run(Arguments{"openssl", "cms", "-verify", "-inform", "SMIME"} + office.peer_trust(), text);
            if (outcome.status != 0) return count;
            text = outcome.out;
        }
    }

    Office office;
    Identity alice = office.employ({.name = "Alice", .email = "alice@example.gov", .kind = KeyKind::p256});

  private:
    std::vector<std::string> names_;
    Arguments files_;
};

/// reports parses a batch's report, one object a line; report_of is the line of one input.
inline std::vector<nlohmann::json> reports(const std::string& text) {
    std::vector<nlohmann::json> all;
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);)
        all.push_back(nlohmann::json::parse(line));
    return all;
}

inline nlohmann::json report_of(const std::string& text, const std::string& input) {
    for (const auto& report : reports(text))
        if (report["input"] == input) return report;
    FAIL("no report of " << input);
    return {};
}

/// feed writes a mail into a FIFO and its end, once the program reads there; `running` says whether it lives.
template <class Running>
void feed(const std::string& fifo, const std::string& text, Running running) {
    int fd = -1;
    while ((fd = open(fifo.c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC)) < 0 && running()) {
    }
    REQUIRE(fd >= 0);
    CHECK(write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size()));
    close(fd);
}

/// count_of counts the files in a directory.
inline std::size_t count_of(const std::string& directory) {
    return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator(directory), {}));
}

}  // namespace p11mime::test
