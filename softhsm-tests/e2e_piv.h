#pragma once

#include "softhsm-tests/support/card_readers.h"
#include "softhsm-tests/support/office.h"
#include "softhsm-tests/support/skip.h"

namespace p11mime::test {

/// skipped_without_readers says so, and why, where there can be no card readers here.
inline bool skipped_without_readers() {
    const std::string why = CardReaders::why_not();
    if (!why.empty()) skip(why);
    return !why.empty();
}

/// CardOffice is an office whose people have PIV cards; the desk's module is OpenSC's.
struct CardOffice : Office {
    explicit CardOffice(const std::string& reader_name = "Virtual PCD") : readers(desk, reader_name) {}

    PivCard& card(int number = 0) { return readers.card(number); }

    /// issue_to_card issues an identity and puts it where a key reference of the first card says; it counts once the
    /// card is inserted.
    Identity issue_to_card(const std::string& reference, const Leaf& leaf) {
        Identity identity = correspond(leaf);
        card().put(reference, identity);
        return identity;
    }

    /// insert_afresh inserts the card with nothing left from before: not selected, not logged in.
    void insert_afresh() {
        if (card().status("inserted") == "true") card().remove();
        card().insert();
    }

    /// encrypted is kText as openssl encrypts it to somebody, with more of its options.
    std::string encrypted(const Identity& to, const Arguments& options = {}) const {
        return done(desk.run(Arguments{"openssl", "cms", "-encrypt", "-aes-256-cbc", "-in", desk.file("entity", kText),
                                       "-recip", certificate(to)} +
                             options));
    }

    /// openssl_verifies says whether openssl takes a signed mail for good.
    bool openssl_verifies(const std::string& signed_mail) const {
        return desk.run(Arguments{"openssl", "cms", "-verify"} + peer_trust(), signed_mail).status == 0;
    }

    CardReaders readers;
};

}  // namespace p11mime::test
