#pragma once

#include <sstream>

#include "softhsm-tests/e2e_piv.h"
#include "softhsm-tests/e2e_running.h"

namespace p11mime::test {

/// CardBatch is an office with a card of Alice's and mails of hers, all different.
struct CardBatch {
    explicit CardBatch(int count) {
        for (int i = 0; i < count; ++i)
            files.push_back(office.desk.file(
                name(i),
                mail(alice.email, "bob@example.org", "Content-Type: text/plain\r\n\r\nMail " + name(i) + "\r\n")));
        office.card().insert();
    }

    static std::string name(int i) { return "mail" + std::to_string(i) + ".eml"; }
    std::string out() const { return office.desk.path("out"); }
    Arguments command(const Arguments& more) const { return Arguments{"sign", "-d", out()} + more + files; }

    /// complete says whether each mail is there once, signed once.
    bool complete() const {
        std::size_t count = 0;
        for (const auto& entry : std::filesystem::directory_iterator(out())) {
            const std::string signed_mail = read_file(entry.path());
            const Outcome content =
                office.desk.run(Arguments{"openssl", "cms", "-verify"} + office.peer_trust(), signed_mail);
            const bool good = content.status == 0 &&
                              content.out.find("Mail " + entry.path().filename().string()) != std::string::npos;
            if (!good) return false;
            ++count;
        }
        return count == files.size();
    }

    /// authentications is how often the card was asked to use a key.
    long authentications() {
        std::istringstream log(office.card().log());
        long count = 0;
        for (std::string line; std::getline(log, line);)
            count += line.starts_with("00 87 ") ? 1 : 0;
        return count;
    }

    CardOffice office;
    Identity alice = office.issue_to_card("9a", {.name = "Alice"});
    Arguments files;
};

}  // namespace p11mime::test
