#include <fmt/format.h>
#include <openssl/rsa.h>

#include <algorithm>

#include "cms/algorithms.h"
#include "cms/identifiers.h"
#include "cms/key_agreement.h"
#include "cms/key_management.h"
#include "cms/key_wrap.h"
#include "cms/password_recipient.h"
#include "cms/rsa_oaep.h"

namespace p11mime::cms {

namespace {

Error unfit(const Certificate& certificate, std::string_view what) {
    return {ErrorKind::malformed, fmt::format("unsupported algorithm: {} for the {} key of {}", what,
                                              certificate.key_type(), certificate.subject())};
}

Bytes key_trans(const Certificate& recipient, ByteView algorithm_der, const Bytes& encrypted) {
    return der_value(tag::kSequence, {der_integer(0), issuer_and_serial(recipient), algorithm_der,
                                      der_value(tag::kOctetString, encrypted)});
}

// Encrypts to an RSA key with a context's padding as `set_up` makes it.
template <class SetUp>
Bytes rsa_encrypt(const Certificate& recipient, const SecretBytes& content_key, SetUp set_up) {
    if (!recipient.is_rsa()) throw unfit(recipient, "no RSA");
    const KeyHandle key = recipient.public_key();
    const KeyContext context(EVP_PKEY_CTX_new_from_pkey(nullptr, key.get(), nullptr));
    std::size_t size = static_cast<std::size_t>(EVP_PKEY_get_size(key.get()));
    Bytes encrypted(size);
    require(EVP_PKEY_encrypt_init(context.get()) == 1 && set_up(context.get()) &&
                EVP_PKEY_encrypt(context.get(), encrypted.data(), &size, content_key.data(), content_key.size()) == 1,
            "cannot encrypt to an RSA key");
    encrypted.resize(size);
    return encrypted;
}

Bytes transported(const Certificate& recipient, const RsaPkcs1Transport&, const SecretBytes& content_key) {
    return key_trans(recipient, der_algorithm(algorithm_named(AlgorithmKind::key_transport, "rsa-pkcs1")->oid, kNull),
                     rsa_encrypt(recipient, content_key, [](EVP_PKEY_CTX* context) {
                         return EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PADDING) == 1;
                     }));
}

Bytes transported(const Certificate& recipient, const RsaOaep& oaep, const SecretBytes& content_key) {
    return key_trans(recipient, oaep_algorithm(oaep), rsa_encrypt(recipient, content_key, [&](EVP_PKEY_CTX* context) {
                         return set_oaep_padding(context, oaep);
                     }));
}

// KEKRecipientInfo (RFC 5652 section 6.2.3).
Bytes kek_recipient_info(const KeyEncryptionKey& kek, const SecretBytes& content_key) {
    require(kek.key && !kek.id.empty(), "a key encryption key needs an id");
    const Algorithm& wrap = aes_wrap(kek.key->size());
    return der_value(tag::context(2, true),
                     {der_integer(4), der_value(tag::kSequence, der_value(tag::kOctetString, kek.id)),
                      der_algorithm(wrap.oid), der_value(tag::kOctetString, wrap_key(wrap, *kek.key, content_key))});
}

// Agreeing is those who can share one KeyAgreeRecipientInfo.
struct Agreeing {
    KeyAgreement how;
    std::vector<Certificate> recipients;
};

void add(std::vector<Agreeing>& groups, const Certificate& recipient, const KeyAgreement& how) {
    if (agreement_algorithm(recipient, how) == nullptr) throw unfit(recipient, "no such key agreement");
    const KeyHandle key = recipient.public_key();
    const auto group = std::find_if(groups.begin(), groups.end(), [&](const Agreeing& each) {
        return how.shared && each.how == how && same_parameters(each.recipients.front().public_key().get(), key.get());
    });
    if (group == groups.end())
        groups.push_back({how, {recipient}});
    else
        group->recipients.push_back(recipient);
}

}  // namespace

KeyManagement default_key_management(const Certificate& certificate) {
    if (certificate.is_rsa()) return RsaPkcs1Transport{};
    if (!certificate.is_ec() && !certificate.is_xdh()) throw unfit(certificate, "no encryption");
    return KeyAgreement{natural_hash(certificate.public_key().get())};
}

std::vector<Bytes> make_recipient_infos(const std::vector<Recipient>& recipients, const SecretBytes& content_key) {
    std::vector<Bytes> infos;
    std::vector<Agreeing> groups;
    for (const Recipient& recipient : recipients) {
        if (const auto* v15 = std::get_if<RsaPkcs1Transport>(&recipient.management))
            infos.push_back(transported(*recipient.certificate, *v15, content_key));
        else if (const auto* oaep = std::get_if<RsaOaep>(&recipient.management))
            infos.push_back(transported(*recipient.certificate, *oaep, content_key));
        else if (const auto* agreement = std::get_if<KeyAgreement>(&recipient.management))
            add(groups, *recipient.certificate, *agreement);
        else if (const auto* kek = std::get_if<KeyEncryptionKey>(&recipient.management))
            infos.push_back(kek_recipient_info(*kek, content_key));
        else
            infos.push_back(password_recipient_info(std::get<Password>(recipient.management), content_key));
    }
    for (const Agreeing& group : groups)
        infos.push_back(agreed_recipient_info(group.recipients, group.how, content_key));
    return infos;
}

unsigned enveloped_data_version(const std::vector<Bytes>& recipient_infos) {
    const auto any = [&](auto is) { return std::any_of(recipient_infos.begin(), recipient_infos.end(), is); };
    if (any([](const Bytes& info) { return info.front() >= tag::context(3, true); })) return 3;
    return any([](const Bytes& info) { return info.front() != tag::kSequence; }) ? 2 : 0;
}

}  // namespace p11mime::cms
