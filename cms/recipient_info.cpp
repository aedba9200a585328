#include "cms/recipient_info.h"

#include <fmt/format.h>

#include "cms/algorithms.h"
#include "cms/asn1.h"
#include "cms/identifiers.h"
#include "cms/key_agreement.h"
#include "cms/key_wrap.h"
#include "cms/password_recipient.h"
#include "cms/rsa_oaep.h"

namespace p11mime::cms {

namespace {

// fill_recovery takes what `read` makes of the entry's algorithms; the fault of what is not supported or makes no sense
// is this recipient's alone.
template <class Read>
void fill_recovery(RecipientEntry& entry, Read read) {
    try {
        entry.recovery = std::make_shared<const Recovery>(read());
    } catch (const Error& error) {
        if (error.kind() != ErrorKind::malformed) throw;
        entry.fault = error.what();
    }
}

RecipientEntry entry_of(RecipientIdentifier identifier, std::string key_management, ByteView encrypted_key) {
    return {.identifier = std::move(identifier),
            .key_management = std::move(key_management),
            .recovery = nullptr,
            .fault = {},
            .encrypted_key = to_bytes(encrypted_key)};
}

RecipientEntry passed_over(std::string key_management, std::string fault) {
    RecipientEntry entry = entry_of({}, std::move(key_management), {});
    entry.fault = std::move(fault);
    return entry;
}

// extended is a RecipientInfo of a known kind with a CHOICE that has a new alternative.
RecipientEntry extended(const char* recipient_info) {
    return passed_over("other", fmt::format("unsupported kind of {}", recipient_info));
}

// retagged gives a RecipientInfo of an implicitly tagged kind its own tag.
Bytes retagged(ByteView der) {
    Bytes sequence = to_bytes(der);
    sequence.front() = tag::kSequence;
    return sequence;
}

std::vector<RecipientEntry> read_key_trans(ByteView der, std::optional<std::size_t> content_key_size) {
    const auto info = asn1::decode_known<asn1::KeyTransHandle>(der, asn1::d2i_KeyTransRecipientInfo,
                                                               "malformed KeyTransRecipientInfo");
    if (!info) return {extended("KeyTransRecipientInfo")};
    const X509_ALGOR* algorithm = info->key_encryption_algorithm;
    const Algorithm* row = find_algorithm(AlgorithmKind::key_transport, algorithm);
    RecipientEntry entry =
        entry_of(asn1::identifier(*info->rid), row == nullptr ? oid_text(algorithm->algorithm) : std::string(row->name),
                 asn1::octets(info->encrypted_key));
    fill_recovery(entry, [&]() -> Recovery {
        if (row == nullptr) throw unsupported(algorithm);
        if (row->name == "rsa-oaep") return read_oaep_parameters(asn1::sequence_parameters(algorithm));
        return RsaV15{content_key_size};
    });
    return {std::move(entry)};
}

// read_key_wrap finds the row of a key wrap algorithm of a RecipientInfo. AES takes no parameters (RFC 3565),
// 3DES takes NULL (RFC 3370 section 4.3.1), and producers mix the two up.
const Algorithm& read_key_wrap(const X509_ALGOR* algorithm, const char* recipient_info) {
    const Algorithm* wrap = find_algorithm(AlgorithmKind::key_wrap, algorithm);
    if (wrap == nullptr) throw unsupported(algorithm);
    if (algorithm->parameter != nullptr && algorithm->parameter->type != V_ASN1_NULL)
        throw Error(ErrorKind::malformed,
                    fmt::format("malformed {}: {} takes no parameters", recipient_info, wrap->name));
    return *wrap;
}

bool is_xdh(const X509_ALGOR* key_algorithm) {
    const std::string oid = oid_text(key_algorithm->algorithm);
    return oid == oid::kX25519 || oid == oid::kX448;
}

Bytes originator_spki(const asn1::OriginatorPublicKey& key) {
    if (!is_xdh(key.algorithm) && oid_text(key.algorithm->algorithm) != oid::kEcPublicKey)
        throw unsupported(key.algorithm);
    return spki(encode(key.algorithm, i2d_X509_ALGOR), asn1::octets(key.public_key));
}

Agree read_agreement(const asn1::KeyAgreeRecipientInfo& info) {
    const X509_ALGOR* algorithm = info.key_encryption_algorithm;
    const Algorithm* scheme = find_algorithm(AlgorithmKind::key_agreement, algorithm);
    if (scheme == nullptr) throw unsupported(algorithm);
    const auto wrap_algorithm =
        asn1::algorithm_parameter(algorithm, "malformed key wrap algorithm in a KeyAgreeRecipientInfo");
    const Algorithm& wrap = read_key_wrap(wrap_algorithm.get(), "KeyAgreeRecipientInfo");
    if (info.originator->type != asn1::Originator::kPublicKey) throw unsupported("static-static key agreement");

    const auto ukm = info.ukm == nullptr ? std::nullopt : std::optional(asn1::octets(info.ukm));
    if (ukm && ukm->size() > kMaxUkmBytes)
        throw unsupported(fmt::format("user keying material of more than {} bytes", kMaxUkmBytes));
    KeyDerivation kdf{.kind = scheme->hkdf ? KeyDerivation::Kind::hkdf : KeyDerivation::Kind::x963,
                      .hash = *scheme->hash,
                      .info = shared_info(asn1::sequence_parameters(algorithm), ukm, wrap)};
    if (scheme->hkdf && ukm) kdf.salt = to_bytes(*ukm);
    return Agree{.peer_spki = originator_spki(*info.originator->d.public_key),
                 .cofactor = scheme->cofactor,
                 .kdf = std::move(kdf),
                 .wrap = &wrap};
}

std::string agreement_name(const asn1::Originator& originator) {
    return originator.type == asn1::Originator::kPublicKey && is_xdh(originator.d.public_key->algorithm) ? "xdh"
                                                                                                         : "ecdh";
}

std::vector<RecipientEntry> read_key_agree(ByteView der) {
    const auto info = asn1::decode_known<asn1::KeyAgreeHandle>(retagged(der), asn1::d2i_KeyAgreeRecipientInfo,
                                                               "malformed KeyAgreeRecipientInfo");
    if (!info) return {extended("KeyAgreeRecipientInfo")};
    RecipientEntry all = entry_of({}, agreement_name(*info->originator), {});
    fill_recovery(all, [&] { return read_agreement(*info); });
    std::vector<RecipientEntry> entries;
    for (int i = 0; i < sk_ASN1_TYPE_num(info->recipient_encrypted_keys); ++i) {
        const Bytes key_der = encode(sk_ASN1_TYPE_value(info->recipient_encrypted_keys, i), i2d_ASN1_TYPE);
        const auto key = asn1::decode_known<asn1::RecipientEncryptedKeyHandle>(key_der, asn1::d2i_RecipientEncryptedKey,
                                                                               "malformed RecipientEncryptedKey");
        if (!key) {
            entries.push_back(extended("RecipientEncryptedKey"));
            continue;
        }
        RecipientEntry& entry = entries.emplace_back(all);
        entry.identifier = asn1::identifier(*key->rid);
        entry.encrypted_key = to_bytes(asn1::octets(key->encrypted_key));
    }
    return entries;
}

std::vector<RecipientEntry> read_kek(ByteView der) {
    const auto info =
        asn1::decode<asn1::KekHandle>(retagged(der), asn1::d2i_KekRecipientInfo, "malformed KEKRecipientInfo");
    RecipientEntry entry = entry_of(asn1::identifier(*info->kekid), "kek", asn1::octets(info->encrypted_key));
    fill_recovery(entry, [&] {
        const Algorithm& wrap = read_key_wrap(info->key_encryption_algorithm, "KEKRecipientInfo");
        if (!is_wrapped_size(entry.encrypted_key.size()))
            throw Error(ErrorKind::malformed, fmt::format("malformed KEKRecipientInfo: no key wrap gives {} bytes",
                                                          entry.encrypted_key.size()));
        return KekUnwrap{&wrap};
    });
    return {std::move(entry)};
}

std::vector<RecipientEntry> read_password(ByteView der) {
    const auto info = asn1::decode<asn1::PasswordHandle>(retagged(der), asn1::d2i_PasswordRecipientInfo,
                                                         "malformed PasswordRecipientInfo");
    RecipientEntry entry = entry_of({}, "password", asn1::octets(info->encrypted_key));
    fill_recovery(entry, [&] { return read_password_recovery(*info); });
    return {std::move(entry)};
}

// read_other names an OtherRecipientInfo by its type. A supported type (RFC 9629's KEMRecipientInfo, say) is one more
// reader beside those above, chosen here.
std::vector<RecipientEntry> read_other(ByteView der) {
    const auto info = asn1::decode<asn1::OtherRecipientHandle>(retagged(der), asn1::d2i_OtherRecipientInfo,
                                                               "malformed OtherRecipientInfo");
    const std::string oid = oid_text(info->type);
    return {passed_over(oid, fmt::format("unsupported kind of recipient {}", oid))};
}

}  // namespace

std::vector<RecipientEntry> read_recipient_info(ByteView der, std::optional<std::size_t> content_key_size) {
    switch (der.front()) {
        case tag::kSequence:
            return read_key_trans(der, content_key_size);
        case tag::context(1, true):
            return read_key_agree(der);
        case tag::context(2, true):
            return read_kek(der);
        case tag::context(3, true):
            return read_password(der);
        case tag::context(4, true):
            return read_other(der);
        default:
            return {passed_over("other", "unsupported kind of recipient")};
    }
}

}  // namespace p11mime::cms
