#include "cms/name_constraints.h"

#include <openssl/err.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include <algorithm>

#include "cms/handle.h"
#include "mime/address.h"
#include "mime/header.h"
#include "mime/unicode.h"

namespace p11mime::cms {

namespace {

using ConstraintsHandle = Handle<NAME_CONSTRAINTS, NAME_CONSTRAINTS_free>;
using NamesHandle = Handle<GENERAL_NAMES, GENERAL_NAMES_free>;

constexpr std::size_t kMaxComparisons = 1U << 18U;  // of the names and constraints of two certificates

// Mailbox is an address in the form to compare it in; it has no domain where it cannot be compared.
struct Mailbox {
    std::string text;
    std::string local;
    std::optional<std::string> domain;
};

// Limit is an rfc822Name constraint: one mailbox, all at a host, or all in the domains below one.
struct Limit {
    enum class Kind { mailbox, host, below } kind = Kind::host;
    std::string local;
    std::optional<std::string> domain;  // nothing where it cannot be compared, as the empty constraint
};

std::string text_of_string(const ASN1_STRING* string) {
    return {reinterpret_cast<const char*>(ASN1_STRING_get0_data(string)),
            static_cast<std::size_t>(ASN1_STRING_length(string))};
}

// comparable_domain is a domain in A-labels; nothing where it is none.
std::optional<std::string> comparable_domain(std::string_view domain) {
    if (!domain.empty() && domain.back() == '.') domain.remove_suffix(1);
    const bool plain = std::all_of(domain.begin(), domain.end(),
                                   [](char c) { return static_cast<unsigned char>(c) > 0x20 && c != 0x7f; });
    if (domain.empty() || !plain) return std::nullopt;
    std::string ascii = mime::ascii_domain(domain);
    return mime::is_ascii(ascii) ? std::optional(std::move(ascii)) : std::nullopt;
}

// without_needless_quotes is a mailbox as the sender check compares it: "alice"@example.org is alice@example.org.
std::string without_needless_quotes(const std::string& text) {
    return mime::normal_mailbox(text).value_or(text);
}

Mailbox mailbox_of(std::string text) {
    Mailbox mailbox;
    const std::string normal = without_needless_quotes(text);
    if (const auto at = normal.rfind('@'); at != std::string::npos && at != 0) {
        mailbox.local = normal.substr(0, at);
        mailbox.domain = comparable_domain(std::string_view(normal).substr(at + 1));
    }
    mailbox.text = std::move(text);
    return mailbox;
}

Limit limit_of(const std::string& text) {
    Limit limit;
    const std::string normal = without_needless_quotes(text);
    std::string_view domain = normal;
    if (const auto at = domain.rfind('@'); at != std::string_view::npos) {
        limit.local = std::string(domain.substr(0, at));
        limit.kind = limit.local.empty() ? Limit::Kind::host : Limit::Kind::mailbox;
        domain.remove_prefix(at + 1);
    } else if (domain.substr(0, 1) == ".") {
        limit.kind = Limit::Kind::below;
        domain.remove_prefix(1);
    }
    limit.domain = comparable_domain(domain);
    return limit;
}

bool is_mailbox_name(const GENERAL_NAME& name) {
    return name.type == GEN_EMAIL ||
           (name.type == GEN_OTHERNAME && OBJ_obj2nid(name.d.otherName->type_id) == NID_id_on_SmtpUTF8Mailbox);
}

// mailbox_text is the text of such a name; of a SmtpUTF8Mailbox that is no UTF8String nothing that could be compared.
std::string mailbox_text(const GENERAL_NAME& name) {
    if (name.type == GEN_EMAIL) return text_of_string(name.d.rfc822Name);
    const ASN1_TYPE* value = name.d.otherName->value;
    return value->type == V_ASN1_UTF8STRING ? text_of_string(value->value.utf8string) : "";
}

NamesHandle alternative_names(const Certificate& certificate, bool& unreadable) {
    int critical = -1;
    NamesHandle names(
        static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate.get(), NID_subject_alt_name, &critical, nullptr)));
    unreadable = !names && critical != -1;
    ERR_clear_error();
    return names;
}

std::vector<Mailbox> mailboxes_of(const Certificate& certificate) {
    std::vector<Mailbox> mailboxes;
    bool unreadable = false;
    const NamesHandle names = alternative_names(certificate, unreadable);
    if (unreadable) mailboxes.push_back({});
    for (int i = 0; names && i < sk_GENERAL_NAME_num(names.get()); ++i) {
        const GENERAL_NAME& name = *sk_GENERAL_NAME_value(names.get(), i);
        if (is_mailbox_name(name)) mailboxes.push_back(mailbox_of(mailbox_text(name)));
    }
    const X509_NAME* subject = X509_get_subject_name(certificate.get());
    for (int at = -1; (at = X509_NAME_get_index_by_NID(subject, NID_pkcs9_emailAddress, at)) >= 0;)
        mailboxes.push_back(mailbox_of(text_of_string(X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at)))));
    return mailboxes;
}

std::vector<Limit> limits_of(const STACK_OF(GENERAL_SUBTREE) * subtrees) {
    std::vector<Limit> limits;
    for (int i = 0; subtrees != nullptr && i < sk_GENERAL_SUBTREE_num(subtrees); ++i) {
        const GENERAL_NAME& base = *sk_GENERAL_SUBTREE_value(subtrees, i)->base;
        if (is_mailbox_name(base)) limits.push_back(limit_of(mailbox_text(base)));
    }
    return limits;
}

bool within(const Mailbox& mailbox, const Limit& limit) {
    const std::string& domain = *mailbox.domain;
    switch (limit.kind) {
        case Limit::Kind::mailbox:
        case Limit::Kind::host:
            return domain == *limit.domain;
        case Limit::Kind::below:
            break;
    }
    const std::string suffix = "." + *limit.domain;
    return domain.size() > suffix.size() && domain.compare(domain.size() - suffix.size(), suffix.size(), suffix) == 0;
}

bool permits(const Limit& limit, const Mailbox& mailbox) {
    if (!limit.domain || !within(mailbox, limit)) return false;
    return limit.kind != Limit::Kind::mailbox || limit.local == mailbox.local;
}

// forbids is wider than RFC 5280 asks for: local parts are compared without case, as they are with the From field, and
// a constraint that cannot be compared with forbids all.
bool forbids(const Limit& limit, const Mailbox& mailbox) {
    if (!limit.domain) return true;
    if (!within(mailbox, limit)) return false;
    return limit.kind != Limit::Kind::mailbox || mime::ascii_lower(limit.local) == mime::ascii_lower(mailbox.local);
}

const Mailbox* breach_of(const std::vector<Mailbox>& mailboxes, const std::vector<Limit>& permitted,
                         const std::vector<Limit>& excluded) {
    if (permitted.empty() && excluded.empty()) return nullptr;
    const bool too_many = mailboxes.size() * (permitted.size() + excluded.size()) > kMaxComparisons;
    for (const Mailbox& each : mailboxes) {
        if (too_many || !each.domain) return &each;
        const auto permits_it = [&](const Limit& limit) { return permits(limit, each); };
        const auto forbids_it = [&](const Limit& limit) { return forbids(limit, each); };
        if (!permitted.empty() && std::none_of(permitted.begin(), permitted.end(), permits_it)) return &each;
        if (std::any_of(excluded.begin(), excluded.end(), forbids_it)) return &each;
    }
    return nullptr;
}

void remove_mailbox_limits(STACK_OF(GENERAL_SUBTREE) * subtrees) {
    for (int i = subtrees == nullptr ? 0 : sk_GENERAL_SUBTREE_num(subtrees); i-- > 0;)
        if (is_mailbox_name(*sk_GENERAL_SUBTREE_value(subtrees, i)->base))
            GENERAL_SUBTREE_free(sk_GENERAL_SUBTREE_delete(subtrees, i));
}

// keeps_other_names is OpenSSL's judgement of all names but addresses; it takes the constraints on addresses out.
bool keeps_other_names(const Certificate& certificate, NAME_CONSTRAINTS* constraints) {
    remove_mailbox_limits(constraints->permittedSubtrees);
    remove_mailbox_limits(constraints->excludedSubtrees);
    const bool kept = NAME_CONSTRAINTS_check(certificate.get(), constraints) == X509_V_OK;
    ERR_clear_error();
    return kept;
}

}  // namespace

bool has_internationalized_mailbox(const Certificate& certificate) {
    bool unreadable = false;
    const NamesHandle names = alternative_names(certificate, unreadable);
    for (int i = 0; names && i < sk_GENERAL_NAME_num(names.get()); ++i)
        if (const GENERAL_NAME& name = *sk_GENERAL_NAME_value(names.get(), i);
            name.type != GEN_EMAIL && is_mailbox_name(name))
            return true;
    return false;
}

std::optional<NameBreach> name_breach(const std::vector<Certificate>& chain) {
    for (std::size_t above = 1; above < chain.size(); ++above) {
        int critical = -1;
        const ConstraintsHandle constraints(static_cast<NAME_CONSTRAINTS*>(
            X509_get_ext_d2i(chain[above].get(), NID_name_constraints, &critical, nullptr)));
        ERR_clear_error();
        if (!constraints && critical == -1) continue;
        if (!constraints) return NameBreach{0, above, ""};
        const std::vector<Limit> permitted = limits_of(constraints->permittedSubtrees);
        const std::vector<Limit> excluded = limits_of(constraints->excludedSubtrees);
        for (std::size_t at = 0; at < above; ++at) {
            if (at != 0 && chain[at].self_issued()) continue;
            const std::vector<Mailbox> mailboxes = mailboxes_of(chain[at]);
            if (const Mailbox* breach = breach_of(mailboxes, permitted, excluded))
                return NameBreach{at, above, breach->text};
        }
        for (std::size_t at = 0; at < above; ++at)
            if ((at == 0 || !chain[at].self_issued()) && has_internationalized_mailbox(chain[at]) &&
                !keeps_other_names(chain[at], constraints.get()))
                return NameBreach{at, above, ""};
    }
    return std::nullopt;
}

}  // namespace p11mime::cms
