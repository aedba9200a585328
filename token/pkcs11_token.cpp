#include "token/pkcs11_token.h"

#include <fmt/format.h>

#include <limits>

#include "mime/error.h"
#include "token/decrypter.h"
#include "token/delete_key.h"
#include "token/import_key.h"
#include "token/manage.h"
#include "token/methods.h"
#include "token/public_key.h"
#include "token/sign.h"

namespace p11mime::token {

namespace {

/// kToSign and kToDecrypt are said in the PIN prompt where no operation has said its own yet.
constexpr const char* kToSign = "sign";
constexpr const char* kToDecrypt = "decrypt";

}  // namespace

std::vector<CertificateObject> Pkcs11Token::certificates() {
    return find_certificates({});
}

std::vector<CertificateObject> Pkcs11Token::find_certificates(const CertificateQuery& query) {
    return find_few_certificates(query, std::numeric_limits<std::size_t>::max()).value();
}

std::optional<std::vector<CertificateObject>> Pkcs11Token::find_few_certificates(const CertificateQuery& query,
                                                                                 std::size_t most) {
    Template search = objects_of_class(CKO_CERTIFICATE);
    if (query.id) search.add(CKA_ID, *query.id);
    if (query.label) search.add(CKA_LABEL, *query.label);
    if (!query.subject_der.empty()) search.add(CKA_SUBJECT, query.subject_der);
    if (!query.issuer_der.empty()) search.add(CKA_ISSUER, query.issuer_der);
    if (!query.serial_der.empty()) search.add(CKA_SERIAL_NUMBER, query.serial_der);
    return core_->certificates(search, most);
}

bool Pkcs11Token::has_private_key(const CertificateObject& certificate, const std::string& what) {
    return core_->private_key_of(certificate, what).has_value();
}

std::vector<KeyObject> Pkcs11Token::private_keys(bool may_login) {
    if (may_login) core_->login("list the keys");
    return core_->with_session([&](const Session& session) {
        std::vector<KeyObject> keys;
        for (const PrivateKey& key : read_private_keys(session, objects_of_class(CKO_PRIVATE_KEY)))
            keys.push_back(describe_key(session, info(), key));
        return keys;
    });
}

PrivateKey Pkcs11Token::key_of(const CertificateObject& certificate, const std::string& what) {
    std::optional<PrivateKey> key = core_->private_key_of(certificate, what);
    if (!key)
        throw Error(ErrorKind::token,
                    fmt::format("{} has no private key for certificate '{}'", core_->name(), certificate.label),
                    "p11mime tokens lists what is on the token");
    return std::move(*key);
}

PrivateKey Pkcs11Token::key_of(const KeyObject& wanted) {
    core_->login(kToSign);
    for (PrivateKey& key : core_->private_keys(wanted.id))
        if (key.type == wanted.type) return std::move(key);
    throw Error(ErrorKind::token, fmt::format("{} has no key '{}'", core_->name(), wanted.label),
                "p11mime tokens lists what is on the token");
}

std::unique_ptr<cms::Signer> Pkcs11Token::signer(const CertificateObject& certificate) {
    PrivateKey key = key_of(certificate, kToSign);
    return std::make_unique<TokenSigner>(core_, std::move(key), certificate.certificate.value().spki_der(),
                                         certificate.certificate);
}

std::unique_ptr<cms::Decrypter> Pkcs11Token::decrypter(const CertificateObject& certificate) {
    return std::make_unique<TokenDecrypter>(core_, certificate, key_of(certificate, kToDecrypt));
}

cms::Abilities Pkcs11Token::abilities(ByteView spki) {
    const KeyHandle own = parse_spki(spki);
    return own ? key_abilities(*core_, own.get()) : cms::Abilities{};
}

std::vector<Method> Pkcs11Token::methods(ByteView spki) {
    const KeyHandle own = parse_spki(spki);
    return own ? key_methods(*core_, own.get()) : std::vector<Method>{};
}

std::unique_ptr<cms::Signer> Pkcs11Token::raw_signer(const KeyObject& key) {
    return std::make_unique<TokenSigner>(core_, key_of(key), public_key_spki(key), std::nullopt);
}

Bytes Pkcs11Token::public_key_spki(const KeyObject& key) {
    const PrivateKey found = key_of(key);
    Bytes spki = core_->with_session([&](const Session& session) { return read_public_key(session, info(), found); });
    if (spki.empty())
        throw Error(ErrorKind::token,
                    fmt::format("{} does not give out the public half of key '{}'", core_->name(), key.label),
                    "import the key's certificate: p11mime key import-cert");
    return spki;
}

KeyObject Pkcs11Token::generate(KeySpec spec, const std::string& label, Bytes id, cms::Profile profile) {
    return generate_key(*core_, spec, label, std::move(id), profile);
}

std::vector<ImportedKey> Pkcs11Token::import_keys(std::span<const KeyImport> keys) {
    return token::import_keys(*core_, keys);
}

void Pkcs11Token::import_certificate(const cms::Certificate& certificate, const std::string& label, const Bytes& id) {
    store_certificate(*core_, certificate, label, id);
}

Belongings Pkcs11Token::belongings(const KeyObject& key) {
    return belongings_of(*core_, key);
}

std::size_t Pkcs11Token::destroy(const KeyObject& key) {
    return delete_key(*core_, key);
}

}  // namespace p11mime::token
