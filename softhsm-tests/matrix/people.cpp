#include "softhsm-tests/matrix/people.h"

#include <fmt/format.h>

#include <atomic>
#include <thread>

#include "softhsm-tests/matrix/peer.h"

namespace p11mime::test::matrix {

namespace {

/// name_of is the name of a person, who has a key of a kind.
std::string name_of(KeyKind kind) {
    return fmt::format("k{}", static_cast<int>(kind));
}

cms::Certificate certificate_from(const std::string& pem) {
    return cms::Certificate::from_der(bytes_of(from_pem(pem)));
}

}  // namespace

People::People(const std::set<KeyKind>& kinds) {
    for (const KeyKind kind : kinds)
        employ(kind);
    file("ca.pem", desk_.pki.root_pem() + desk_.pki.intermediate_pem());
    file("content", kText);
    tokens_ = desk_.open();
}

void People::employ(KeyKind kind) {
    const std::string name = name_of(kind);
    Identity identity = desk_.pki.issue({.name = name, .email = name + "@example.org", .kind = kind});
    if (kind != KeyKind::dsa1024)  // for peers alone
        desk_.put(identity, fmt::format("{:02x}", static_cast<int>(kind) + 16), "Matrix");
    Person person{.identity = identity,
                  .certificate = certificate_of(identity),
                  .key_pem = file(name + ".key.pem", identity.key_pem),
                  .key_der = file(name + ".key", identity.key_der()),
                  .certificate_pem = file(name + ".pem", identity.certificate_pem),
                  .certificate_der = file(name + ".crt", identity.certificate_der())};
    people_.emplace(kind, std::move(person));
}

cms::Signer& People::signer(KeyKind kind) {
    auto& signer = signers_[kind];
    if (!signer) {
        const auto token = tokens_->tokens().at(0);
        for (const token::CertificateObject& certificate : token->certificates())
            if (certificate.label == name_of(kind)) signer = token->signer(certificate);
    }
    return *signer;
}

cms::Trust People::trust() const {
    return trust_in({certificate_from(desk_.pki.root_pem())}, {certificate_from(desk_.pki.intermediate_pem())});
}

std::string People::file(const std::string& name, std::string_view content) const {
    write_file(path(name), content);
    return path(name);
}

std::string try_to(const std::function<std::string()>& work) {
    try {
        return work();
    } catch (const std::exception& error) {
        return error.what();
    }
}

void in_pairs(std::size_t count, const std::function<void(std::size_t)>& work) {
    std::atomic<std::size_t> next = 0;
    const auto take = [&] {
        for (std::size_t i = next++; i < count; i = next++)
            work(i);
    };
    const std::jthread other(take);
    take();
}

std::string own_cell(const std::string& answer) {
    constexpr Reason kReasons[] = {
        {"unsupported algorithm", "unsupported"},
        {"the content was changed", "content changed"},
        {"the content does not decrypt", "content changed"},
        {"other content", "other content"},
        {"with other parameters", "chooses other parameters"},
        {"it is with ", "chooses another cipher"},
        {"md5 is refused", "digest refused"},
        {"it is rsa-pkcs1 with", "writes PKCS#1 v1.5 alone"},
    };
    return answer == kOk || answer == "weak" ? answer : reason(answer, kReasons);
}

std::string reason(std::string answer, std::span<const Reason> known) {
    for (const Reason& each : known)
        if (answer.find(each.answer) != std::string::npos) return each.cell;
    std::replace_if(
        answer.begin(), answer.end(), [](char c) { return c == '\n' || c == '\t' || c == '\r'; }, ' ');
    return "unexpected: " + answer.substr(0, 200);
}

}  // namespace p11mime::test::matrix
