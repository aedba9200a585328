#include "softhsm-tests/matrix/own_recipients.h"

#include "cms/algorithms.h"
#include "cms/content_info.h"
#include "cms/enveloped_data.h"
#include "cms/identifiers.h"
#include "cms/key_management.h"
#include "softhsm-tests/support/hex.h"
#include "softhsm-tests/support/table.h"

namespace p11mime::test::matrix {

namespace {

constexpr std::uint32_t kIterations = 1000;  // the row is about the algorithms; fewer are quicker

cms::Hash hash(const std::string& name) {
    return *cms::algorithm_named(cms::AlgorithmKind::digest, name)->hash;
}

cms::RsaOaep oaep(const RecipientRow& row) {
    return {hash(row.hash), hash(row.mgf), from_hex(row.label)};
}

cms::KeyEncryptionKey kek(const RecipientRow& row) {
    return {from_hex(kKekId), std::make_shared<SecretBytes>(from_hex(row.secret))};
}

std::shared_ptr<const SecretBytes> password(const RecipientRow& row) {
    return std::make_shared<SecretBytes>(bytes_of(row.secret));
}

cms::Recipient recipient(const People& people, const RecipientRow& row) {
    switch (row.way) {
        case Way::rsa_pkcs1:
            return {people.with(row.key).certificate, cms::RsaPkcs1Transport{}};
        case Way::rsa_oaep:
            return {people.with(row.key).certificate, oaep(row)};
        case Way::ecdh:
        case Way::xdh:
            return {people.with(row.key).certificate, cms::KeyAgreement{hash(row.hash), row.wrap, row.cofactor}};
        case Way::kek:
            return kek(row);
        case Way::password:
            return cms::Password{password(row), hash(row.hash), kIterations, row.wrap};
    }
    throw std::logic_error("key management");
}

/// is_as_said compares how a content key is to be recovered with a row.
bool is_as_said(const RecipientRow& row, const cms::Recovery& recovery) {
    if (std::holds_alternative<cms::RsaV15>(recovery)) return row.way == Way::rsa_pkcs1;
    if (const auto* transport = std::get_if<cms::RsaOaep>(&recovery))
        return row.way == Way::rsa_oaep && *transport == oaep(row);
    if (const auto* agree = std::get_if<cms::Agree>(&recovery)) {
        const bool hkdf = agree->kdf.kind == cms::KeyDerivation::Kind::hkdf;
        return row.way == (hkdf ? Way::xdh : Way::ecdh) && agree->kdf.hash == hash(row.hash) &&
               agree->cofactor == row.cofactor && agree->wrap->key_size == row.wrap;
    }
    if (const auto* unwrap = std::get_if<cms::KekUnwrap>(&recovery))
        return row.way == Way::kek && unwrap->wrap->key_size == row.wrap;
    const auto& unwrap = std::get<cms::PasswordUnwrap>(recovery);
    return row.way == Way::password && unwrap.prf == hash(row.hash) && unwrap.cipher->key_size == row.wrap;
}

/// difference says how a message's algorithms are not the row's; "" where they are.
std::string difference(const RecipientRow& row, const std::string& message) {
    ViewSource source(bytes_of(message));
    cms::BerReader reader(source);
    const bool is_authenticated = cms::enter_content_info(reader) == cms::oid::kAuthEnvelopedData;
    const cms::EnvelopedDataReader enveloped(
        reader, is_authenticated ? cms::EncryptedKind::auth_enveloped : cms::EncryptedKind::enveloped);
    if (enveloped.cipher_name() != row.cipher) return "it is with " + enveloped.cipher_name();
    const cms::RecipientEntry& entry = enveloped.recipients().at(0);
    if (!entry.recovery) return entry.fault;
    return is_as_said(row, *entry.recovery) ? ""
                                            : "its key management is with other parameters: " + entry.key_management;
}

}  // namespace

std::string write_encrypted(const People& people, const RecipientRow& row) {
    cms::smime::EncryptOptions options;
    options.form = cms::smime::Form::der;
    options.entity = true;
    options.cipher = cms::smime::content_cipher(row.cipher);
    if (options.cipher == nullptr) throw std::runtime_error("unsupported algorithm " + row.cipher);
    return received(row, run(*cms::smime::encrypt_job({recipient(people, row)}, options), kText));
}

std::string read_encrypted(People& people, const RecipientRow& row, const std::string& message) {
    if (const std::string other = difference(row, message); !other.empty()) return other;
    cms::smime::ReadOptions options;
    options.task = cms::smime::Task::decrypt;
    if (row.way == Way::kek) options.secrets.kek = kek(row);
    if (row.way == Way::password) options.secrets.password = password(row);
    const auto job = cms::smime::read_job(&people.tokens(), nullptr, options);
    const std::string content = run(*job, message);
    if (content != kText) return "other content";
    return job->report().layers.at(0).strength == cms::smime::Strength::weak ? "weak" : kOk;
}

std::string received(const RecipientRow& row, std::string message) {
    constexpr std::size_t kFromEnd = 33;  // within the ciphertext, and not where a changed padding would be by chance
    if (row.broken) message.at(message.size() - kFromEnd) ^= 1;
    return message;
}

}  // namespace p11mime::test::matrix
