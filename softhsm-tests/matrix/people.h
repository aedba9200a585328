#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>

#include "softhsm-tests/support/cms_bench.h"
#include "softhsm-tests/support/office.h"
#include "softhsm-tests/token_fixture.h"

namespace p11mime::test::matrix {

/// Person has a key of one kind: on the token for p11mime, and in files for the peers.
struct Person {
    Identity identity;
    cms::Certificate certificate;
    std::string key_pem, key_der, certificate_pem, certificate_der;  ///< files
};

/// People is one person for each kind of key, named after it, with a SoftHSM token that holds their keys, and a
/// directory for files.
class People {
  public:
    explicit People(const std::set<KeyKind>& kinds);

    const Person& with(KeyKind kind) const { return people_.at(kind); }
    const std::map<KeyKind, Person>& all() const { return people_; }

    token::Tokens& tokens() { return *tokens_; }
    cms::Signer& signer(KeyKind kind);  ///< with the key on the token

    cms::Trust trust() const;
    std::string trusted_file() const { return directory_ / "ca.pem"; }
    const std::string& root_pem() const { return desk_.pki.root_pem(); }
    const std::string& intermediate_pem() const { return desk_.pki.intermediate_pem(); }

    /// file writes a file into the directory and returns its path; path only names one.
    std::string file(const std::string& name, std::string_view content) const;
    std::string path(const std::string& name) const { return directory_ / name; }

    std::string content_file() const { return directory_ / "content"; }  ///< holds kText

  private:
    void employ(KeyKind kind);

    TokenDesk desk_{"ALL", "Matrix"};
    TemporaryDirectory directory_;
    std::map<KeyKind, Person> people_;
    std::unique_ptr<token::Tokens> tokens_;
    std::map<KeyKind, std::unique_ptr<cms::Signer>> signers_;
};

/// try_to runs `work` and returns the cell: its own, or what the exception says.
std::string try_to(const std::function<std::string()>& work);

/// in_pairs runs `work` for 0 to `count` - 1, two at a time, for programs that are waited for.
void in_pairs(std::size_t count, const std::function<void(std::size_t)>& work);

/// Reason is what a cell says of an answer that contains `answer`.
struct Reason {
    const char* answer;
    const char* cell;
};

/// reason is the cell for an answer: the first that fits, or else the answer's own beginning, in one line.
std::string reason(std::string answer, std::span<const Reason> known);

}  // namespace p11mime::test::matrix
