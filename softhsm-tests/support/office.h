#pragma once

#include <map>
#include <string>
#include <vector>

#include "softhsm-tests/support/desk.h"
#include "softhsm-tests/support/mail.h"
#include "softhsm-tests/support/pki.h"

namespace p11mime::test {

using Arguments = std::vector<std::string>;

/// operator+ joins two lists of arguments.
Arguments operator+(Arguments a, const Arguments& b);

/// Office is a desk, a PKI that it trusts, and people. Their keys are in files for the peers, `NAME.key` and `NAME.pem`
/// in PEM, and on the desk's token where asked for.
struct Office {
    Office();

    /// employ issues an identity and puts its key on the token; correspond issues one that stays in software.
    Identity employ(const Leaf& leaf);
    Identity correspond(const Leaf& leaf);

    /// key and certificate name the files of an identity.
    std::string key(const Identity& identity) const { return desk.path(identity.name + ".key"); }
    std::string certificate(const Identity& identity) const { return desk.path(identity.name + ".pem"); }

    /// trust is the options that make p11mime trust this PKI and nothing else.
    Arguments trust() const;
    /// peer_trust is the option that makes openssl trust it.
    Arguments peer_trust() const { return {"-CAfile", desk.path("ca.pem")}; }

    TestPki pki;
    Desk desk;

  private:
    int employed_ = 0;
};

}  // namespace p11mime::test
