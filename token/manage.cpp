#include "token/manage.h"

#include <fmt/format.h>
#include <openssl/objects.h>
#include <openssl/rand.h>

#include <algorithm>
#include <array>

#include "cms/encode.h"
#include "token/ckr.h"
#include "token/mechanisms.h"

namespace p11mime::token {

namespace {

constexpr std::size_t kIdSize = 20;  // as long as a SHA-1 key identifier

struct KeyKind {
    KeySpec spec;
    std::string_view name;
    CK_MECHANISM_TYPE mechanism;
    CK_ULONG rsa_bits;  ///< 0 for curves
    int curve;

    bool is_rsa() const { return rsa_bits != 0; }
    bool signs() const { return mechanism != kEcMontgomeryKeyPairGen; }
    bool decrypts(cms::Profile profile) const { return is_rsa() && profile != cms::Profile::sign; }
    bool agrees(cms::Profile profile) const {
        return !is_rsa() && mechanism != CKM_EC_EDWARDS_KEY_PAIR_GEN && profile != cms::Profile::sign;
    }
};

constexpr KeyKind rsa(KeySpec spec, std::string_view name, CK_ULONG bits) {
    return {spec, name, CKM_RSA_PKCS_KEY_PAIR_GEN, bits, NID_undef};
}
constexpr KeyKind ec(KeySpec spec, std::string_view name, int curve) {
    return {spec, name, CKM_EC_KEY_PAIR_GEN, 0, curve};
}
constexpr KeyKind edwards(KeySpec spec, std::string_view name, int curve) {
    return {spec, name, CKM_EC_EDWARDS_KEY_PAIR_GEN, 0, curve};
}
constexpr KeyKind montgomery(KeySpec spec, std::string_view name, int curve) {
    return {spec, name, kEcMontgomeryKeyPairGen, 0, curve};
}

constexpr std::array kKinds = {
    rsa(KeySpec::rsa2048, "rsa2048", 2048),
    rsa(KeySpec::rsa3072, "rsa3072", 3072),
    rsa(KeySpec::rsa4096, "rsa4096", 4096),
    ec(KeySpec::p256, "p256", NID_X9_62_prime256v1),
    ec(KeySpec::p384, "p384", NID_secp384r1),
    ec(KeySpec::p521, "p521", NID_secp521r1),
    ec(KeySpec::brainpool256, "brainpool256", NID_brainpoolP256r1),
    ec(KeySpec::brainpool384, "brainpool384", NID_brainpoolP384r1),
    ec(KeySpec::brainpool512, "brainpool512", NID_brainpoolP512r1),
    edwards(KeySpec::ed25519, "ed25519", NID_ED25519),
    edwards(KeySpec::ed448, "ed448", NID_ED448),
    montgomery(KeySpec::x25519, "x25519", NID_X25519),
    montgomery(KeySpec::x448, "x448", NID_X448),
};

const KeyKind& kind_of(KeySpec spec) {
    return *std::find_if(kKinds.begin(), kKinds.end(), [&](const KeyKind& kind) { return kind.spec == spec; });
}

/// pair_generation: SoftHSM makes Montgomery keys with the mechanism of Edwards keys.
CK_MECHANISM_TYPE pair_generation(TokenCore& core, const KeyKind& kind) {
    const bool montgomery = kind.mechanism == kEcMontgomeryKeyPairGen;
    return montgomery && !core.offers(kind.mechanism) ? CKM_EC_EDWARDS_KEY_PAIR_GEN : kind.mechanism;
}

Template public_template(const KeyKind& kind, const std::string& label, const Bytes& id, cms::Profile profile) {
    Template key;
    key.add_bool(CKA_TOKEN, true).add_bool(CKA_PRIVATE, false).add_bool(CKA_VERIFY, kind.signs());
    if (kind.is_rsa()) {
        constexpr std::array<Byte, 3> kF4 = {0x01, 0x00, 0x01};
        key.add_bool(CKA_ENCRYPT, kind.decrypts(profile))
            .add(CKA_MODULUS_BITS, kind.rsa_bits)
            .add(CKA_PUBLIC_EXPONENT, ByteView(kF4));
    } else {
        key.add(CKA_EC_PARAMS, cms::encode(OBJ_nid2obj(kind.curve), i2d_ASN1_OBJECT));
    }
    key.add(CKA_LABEL, label).add(CKA_ID, id);
    return key;
}

Template private_template(const KeyKind& kind, const std::string& label, const Bytes& id, cms::Profile profile) {
    Template key;
    key.add_bool(CKA_TOKEN, true)
        .add_bool(CKA_PRIVATE, true)
        .add_bool(CKA_SENSITIVE, true)
        .add_bool(CKA_EXTRACTABLE, false)
        .add_bool(CKA_SIGN, kind.signs())
        .add(CKA_LABEL, label)
        .add(CKA_ID, id);
    if (kind.is_rsa()) key.add_bool(CKA_DECRYPT, kind.decrypts(profile));
    if (!kind.is_rsa()) key.add_bool(CKA_DERIVE, kind.agrees(profile));
    return key;
}

/// id_of_matching_key finds the private key that a certificate belongs to.
Bytes id_of_matching_key(TokenCore& core, const cms::Certificate& certificate) {
    const KeyHandle public_key = certificate.public_key();
    const auto key = core.with_session(
        [&](const Session& session) { return find_key_by_public_key(session, core.info(), public_key.get()); });
    if (!key || key->id.empty())
        throw Error(
            ErrorKind::token,
            fmt::format("no private key on {} belongs to the certificate of {}", core.name(), certificate.subject()),
            "generate the key on this token first, or give the id that the certificate is to have");
    return key->id;
}

}  // namespace

Bytes random_bytes(std::size_t size) {
    Bytes bytes(size);
    cms::require(RAND_bytes(bytes.data(), static_cast<int>(size)) == 1, "no random numbers", ErrorKind::token);
    return bytes;
}

Template certificate_template(const cms::Certificate& certificate, const std::string& label, const Bytes& id) {
    Template object = objects_of_class(CKO_CERTIFICATE);
    object.add(CKA_CERTIFICATE_TYPE, CK_ULONG{CKC_X_509})
        .add_bool(CKA_TOKEN, true)
        .add_bool(CKA_PRIVATE, false)
        .add(CKA_LABEL, label)
        .add(CKA_ID, id)
        .add(CKA_SUBJECT, certificate.subject_der())
        .add(CKA_ISSUER, certificate.issuer_der())
        .add(CKA_SERIAL_NUMBER, certificate.serial_der())
        .add(CKA_VALUE, certificate.der());
    return object;
}

bool is_stored(TokenCore& core, const cms::Certificate& certificate, const Bytes& id) {
    Template search = objects_of_class(CKO_CERTIFICATE);
    search.add(CKA_ID, id).add(CKA_VALUE, certificate.der());
    return core.with_session([&](const Session& session) { return !session.find(search).empty(); });
}

std::optional<KeySpec> key_spec(std::string_view name) {
    const auto kind = std::find_if(kKinds.begin(), kKinds.end(), [&](const KeyKind& row) { return row.name == name; });
    return kind == kKinds.end() ? std::nullopt : std::optional(kind->spec);
}

std::vector<std::string_view> key_spec_names() {
    std::vector<std::string_view> names;
    for (const KeyKind& kind : kKinds)
        names.push_back(kind.name);
    return names;
}

bool allows(KeySpec spec, cms::Profile profile) {
    const KeyKind& kind = kind_of(spec);
    switch (profile) {
        case cms::Profile::sign:
            return kind.signs();
        case cms::Profile::encrypt:
            return kind.decrypts(profile) || kind.agrees(profile);
        case cms::Profile::both:
            return true;  // what it can
    }
    return false;
}

bool can_sign(KeySpec spec) {
    return kind_of(spec).signs();
}

KeyObject generate_key(TokenCore& core, KeySpec spec, const std::string& label, Bytes id, cms::Profile profile) {
    const KeyKind& kind = kind_of(spec);
    core.login("generate a key");
    if (id.empty()) id = random_bytes(kIdSize);
    if (!core.private_keys(id).empty())
        throw Error(ErrorKind::token, fmt::format("{} has a key with this id already", core.name()),
                    "choose another id, or leave it out");
    const CK_MECHANISM_TYPE mechanism = pair_generation(core, kind);
    if (!core.offers(mechanism))
        throw Error(
            ErrorKind::token,
            fmt::format("{} makes no {} keys: it offers no {}", core.name(), kind.name, mechanism_name(mechanism)),
            "choose another --type or another token");
    core.open_session(Session::Access::read_write)
        ->generate_pair(Mechanism(mechanism), public_template(kind, label, id, profile),
                        private_template(kind, label, id, profile));
    const std::vector<PrivateKey> made = core.private_keys(id);
    if (made.empty())
        throw Error(ErrorKind::token, fmt::format("{} made a key but does not show it", core.name()),
                    "p11mime tokens lists what is on the token");
    return core.with_session([&](const Session& session) { return describe_key(session, core.info(), made.front()); });
}

void store_certificate(TokenCore& core, const cms::Certificate& certificate, const std::string& label, Bytes id) {
    core.login("import a certificate");
    if (id.empty()) id = id_of_matching_key(core, certificate);
    if (is_stored(core, certificate, id)) return;
    core.open_session(Session::Access::read_write)->create(certificate_template(certificate, label, id));
    core.forget_objects();
}

}  // namespace p11mime::token
