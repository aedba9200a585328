#pragma once

#include <string>
#include <vector>

#include "softhsm-tests/support/key_kind.h"

namespace p11mime::test::matrix {

class People;

/// SignatureRow is a signature algorithm with a digest, and how the content goes along.
struct SignatureRow {
    std::string name;
    KeyKind key{};
    std::string digest;     ///< "sha256"; "" for the key's own (EdDSA)
    std::string signature;  ///< as p11mime reports it: "rsa-pss"
    bool pss = false;
    bool clear = false;         ///< beside its content, else around it
    bool reading_only = false;  ///< p11mime does not write it
    bool broken = false;        ///< the content is changed on the way
};

/// signature_rows are all of them; a few in a sanitized build.
std::vector<SignatureRow> signature_rows();

/// upper_digest is the digest in capitals.
std::string upper_digest(const SignatureRow& row);

/// detached_content puts the content of a clear row, changed where the row wants it, into a file beside that of its
/// signature, and gives its path.
std::string detached_content(const People& people, const SignatureRow& row, const std::string& signature_file);

/// changed is a signed message whose content is not what was signed.
std::string changed(const std::string& message);

}  // namespace p11mime::test::matrix
