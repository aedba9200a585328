#pragma once

#include <string>
#include <vector>

#include "cms/smime/report.h"

namespace p11mime::cli {

/// Fact is one thing that is said of a signer: "revocation", "not checked". Strings of others are not yet made safe.
struct Fact {
    std::string label;
    std::string text;
};

/// person is whom a certificate names, in the form of an address field: "Alice Example <alice@example.gov>". Of several
/// addresses it is the one that the mail is `from`, else all. A name that could be read as more than a name is quoted;
/// what is too long is cut.
std::string person(const cms::smime::SignerVerdict& signer, const std::vector<std::string>& from);

/// signer_facts is what is said of a signer, in this order: certificate, addresses where there are several, kind of
/// certificate, signature, chain, revocation, sender, the time that it was judged at, time-stamps, the time that the
/// signer claims, what the Enhanced Security Services say, and unsigned attributes. With `judged` unset it leaves trust
/// out, as for inspect; the sender is left out of a countersigner's.
enum class Role { signer, countersigner };
std::vector<Fact> signer_facts(const cms::smime::SignerVerdict& signer, bool judged, Role role = Role::signer);

/// key_person is whom the certificate of a key is for, likewise, or the key's name; key_facts is what is said of the
/// key: its name, its certificate, addresses where there are several, and the chain where it was looked for.
std::string key_person(const cms::smime::OwnKey& key);
std::vector<Fact> key_facts(const cms::smime::OwnKey& key);

/// day is a time as a date in UTC: "2026-11-21".
std::string day(cms::Time time);

/// certificate_name is the common name of a certificate, or its whole subject where it has none.
std::string certificate_name(const cms::Certificate& certificate);

}  // namespace p11mime::cli
