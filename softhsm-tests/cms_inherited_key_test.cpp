// DSA keys without parameters take those of the key that has issued their certificate (RFC 3279 section 2.3.2).

#include "cms/inherited_key.h"

#include <fmt/format.h>
#include <openssl/core_names.h>
#include <openssl/dsa.h>
#include <openssl/param_build.h>

#include <catch2/catch.hpp>

#include "softhsm-tests/cms_craft.h"
#include "softhsm-tests/support/cms_bench.h"

using namespace p11mime;
using namespace p11mime::cms;
using namespace p11mime::cms::smime;
using namespace p11mime::test;

namespace {

constexpr std::string_view kPayment = "Content-Type: text/plain\r\n\r\nPay 10 to Bob.\r\n";

/// key_beside makes another DSA key with the same parameters.
PrivateKey key_beside(const PrivateKey& key) {
    const KeyContext context(EVP_PKEY_CTX_new_from_pkey(nullptr, key.get(), nullptr));
    EVP_PKEY* other = nullptr;
    REQUIRE((EVP_PKEY_keygen_init(context.get()) == 1 && EVP_PKEY_keygen(context.get(), &other) == 1));
    return PrivateKey(other, EVP_PKEY_free);
}

/// without_parameters issues a key's certificate again, with the parameters left out of it.
Certificate without_parameters(const Certificate& certificate, const SoftwareKey& issuer) {
    X509Handle copy(X509_dup(certificate.get()));
    X509_PUBKEY* info = X509_get_X509_PUBKEY(copy.get());
    const Byte* bits = nullptr;
    int size = 0;
    X509_PUBKEY_get0_param(nullptr, &bits, &size, nullptr, info);
    auto* y = static_cast<Byte*>(OPENSSL_memdup(bits, static_cast<std::size_t>(size)));
    REQUIRE(X509_PUBKEY_set0_param(info, OBJ_nid2obj(NID_dsa), V_ASN1_UNDEF, nullptr, y, size) == 1);
    REQUIRE(X509_sign(copy.get(), issuer.key.get(), EVP_sha256()) > 0);
    return Certificate::from_der(Certificate(std::move(copy)).der());
}

CertificateSpec authority(const std::string& name) {
    CertificateSpec spec = authority_spec(name);
    spec.kind = KeyKind::dsa1024;
    return spec;
}

using Number = BignumHandle;

Number number_of(const EVP_PKEY* key, const char* name) {
    BIGNUM* number = nullptr;
    REQUIRE(EVP_PKEY_get_bn_param(key, name, &number) == 1);
    return Number(number);
}

/// Group does arithmetic with the p and q of a DSA key.
class Group {
  public:
    explicit Group(const EVP_PKEY* key)
        : p(number_of(key, OSSL_PKEY_PARAM_FFC_P)), q(number_of(key, OSSL_PKEY_PARAM_FFC_Q)) {}

    Number power(const BIGNUM* base, const BIGNUM* exponent) const {
        Number result(BN_new());
        REQUIRE(BN_mod_exp(result.get(), base, exponent, p.get(), context_.get()) == 1);
        return result;
    }
    Number times(const BIGNUM* a, const BIGNUM* b) const { return product(a, b, p.get()); }
    Number times_mod_q(const BIGNUM* a, const BIGNUM* b) const { return product(a, b, q.get()); }
    Number inverse_mod_q(const BIGNUM* a) const { return Number(BN_mod_inverse(nullptr, a, q.get(), context_.get())); }
    Number inverse(const BIGNUM* a) const { return Number(BN_mod_inverse(nullptr, a, p.get(), context_.get())); }

    /// key has another generator; without a private number it is public.
    PrivateKey key(const BIGNUM* g, const BIGNUM* y, const BIGNUM* x = nullptr) const {
        const Handle<OSSL_PARAM_BLD, OSSL_PARAM_BLD_free> builder(OSSL_PARAM_BLD_new());
        for (const auto& [name, value] : {std::pair(OSSL_PKEY_PARAM_FFC_P, static_cast<const BIGNUM*>(p.get())),
                                          {OSSL_PKEY_PARAM_FFC_Q, q.get()},
                                          {OSSL_PKEY_PARAM_FFC_G, g},
                                          {OSSL_PKEY_PARAM_PUB_KEY, y},
                                          {OSSL_PKEY_PARAM_PRIV_KEY, x}})
            REQUIRE((value == nullptr || OSSL_PARAM_BLD_push_BN(builder.get(), name, value) == 1));
        const Handle<OSSL_PARAM, OSSL_PARAM_free> parameters(OSSL_PARAM_BLD_to_param(builder.get()));
        const KeyContext context(EVP_PKEY_CTX_new_from_name(nullptr, "DSA", nullptr));
        EVP_PKEY* key = nullptr;
        REQUIRE((EVP_PKEY_fromdata_init(context.get()) == 1 &&
                 EVP_PKEY_fromdata(context.get(), &key, x == nullptr ? EVP_PKEY_PUBLIC_KEY : EVP_PKEY_KEYPAIR,
                                   parameters.get()) == 1));
        return PrivateKey(key, EVP_PKEY_free);
    }

    const Number p, q;

  private:
    Number product(const BIGNUM* a, const BIGNUM* b, const BIGNUM* modulus) const {
        Number result(BN_new());
        REQUIRE(BN_mod_mul(result.get(), a, b, modulus, context_.get()) == 1);
        return result;
    }

    Handle<BN_CTX, BN_CTX_free> context_{BN_CTX_new()};
};

/// Forgery is an issuer's key that a certificate's signature fits though nobody has made it with it, and a private key
/// that fits the number in the certificate once it has that key's parameters.
struct Forgery {
    PrivateKey issuer;
    PrivateKey subject;

    Forgery(const SoftwareKey& victim, const EVP_PKEY* signing) {
        const Group group(signing);
        const ASN1_BIT_STRING* value = nullptr;
        X509_get0_signature(&value, nullptr, victim.certificate.get());
        const Byte* at = ASN1_STRING_get0_data(value);
        const Handle<DSA_SIG, DSA_SIG_free> signature(d2i_DSA_SIG(nullptr, &at, ASN1_STRING_length(value)));
        REQUIRE(signature);
        const BIGNUM *r = nullptr, *s = nullptr;
        DSA_SIG_get0(signature.get(), &r, &s);
        Byte* signed_part = nullptr;
        const int size = i2d_re_X509_tbs(victim.certificate.get(), &signed_part);
        const Bytes digest = digest_of(Hash::sha256, {signed_part, static_cast<std::size_t>(size)});
        OPENSSL_free(signed_part);
        const Number hash(BN_bin2bn(digest.data(), std::min<int>(32, BN_num_bytes(group.q.get())), nullptr));

        const Number w = group.inverse_mod_q(s);
        const Number u1 = group.times_mod_q(hash.get(), w.get()), u2 = group.times_mod_q(r, w.get());
        const Number old_g = number_of(signing, OSSL_PKEY_PARAM_FFC_G),
                     old_y = number_of(signing, OSSL_PKEY_PARAM_PUB_KEY);
        const Number verified =
            group.times(group.power(old_g.get(), u1.get()).get(), group.power(old_y.get(), u2.get()).get());
        // The victim's number is a power of the new generator that is known, and the issuer's number makes up for it.
        const Number x(BN_new());
        BN_set_word(x.get(), 5);
        const Number number = number_of(victim.key.get(), OSSL_PKEY_PARAM_PUB_KEY);
        const Number g = group.power(number.get(), group.inverse_mod_q(x.get()).get());
        const Number rest = group.times(verified.get(), group.inverse(group.power(g.get(), u1.get()).get()).get());
        const Number y = group.power(rest.get(), group.inverse_mod_q(u2.get()).get());
        issuer = group.key(g.get(), y.get());
        subject = group.key(g.get(), number.get(), x.get());
    }
};

struct InheritedKeyWorld {
    SoftwareKey carl = certify(authority("Carl"));
    SoftwareKey impostor = certify(authority("Carl"));  // of the same name, with parameters of its own
    SoftwareKey diane = inherits(signer("Diane"), carl);
    SoftwareKey erik = inherits(authority("Erik"), carl);
    SoftwareKey fay = inherits(authority("Fay"), erik);
    SoftwareKey gina = inherits(signer("Gina"), fay);
    CmsBench bench;

    static CertificateSpec signer(const std::string& name) {
        CertificateSpec spec;
        spec.name = name;
        spec.key_usage = "critical,digitalSignature";
        return spec;
    }
    static SoftwareKey inherits(const CertificateSpec& spec, const SoftwareKey& issuer) {
        const PrivateKey key = key_beside(issuer.key);
        return {key, without_parameters(certify_key(key, spec, &issuer), issuer)};
    }

    ReadMail read(const std::vector<Certificate>& carried, const std::vector<Certificate>& anchors) const {
        return read(diane, carried, anchors);
    }
    ReadMail read(const SoftwareKey& key, const std::vector<Certificate>& carried,
                  const std::vector<Certificate>& anchors) const {
        Trust trust = trust_in(anchors);
        trust.allow_weak = true;
        const Bytes info = craft::signer_info({.key = key,
                                               .attributes = craft::usual_attributes(kPayment),
                                               .content = kPayment,
                                               .scheme = Ecdsa{Hash::sha256},
                                               .digest_algorithm = {},
                                               .signature_algorithm = der_algorithm("2.16.840.1.101.3.4.3.2")});
        ReadOptions options;
        options.allow_weak = true;
        return bench.verify(craft::signed_data({kPayment, {info}, carried}), trust, options);
    }
};

}  // namespace

TEST_CASE("a DSA key verifies with the parameters of the trusted issuer of its certificate") {
    const InheritedKeyWorld world;
    CHECK(lacks_parameters(world.diane.certificate));
    CHECK_FALSE(lacks_parameters(world.carl.certificate));
    const ReadMail mail = world.read({world.diane.certificate}, {world.carl.certificate});
    CHECK(mail.report.result == Result::valid);
    CHECK(mail.signer().strength == Strength::weak);
    CHECK(mail.signer().certificate == world.diane.certificate);
    // Another certificate of the same name is no issuer.
    const ReadMail beside = world.read({world.diane.certificate, world.impostor.certificate},
                                       {world.impostor.certificate, world.carl.certificate});
    CHECK(beside.report.result == Result::valid);
}

TEST_CASE("a DSA key has the parameters of an issuer whose name is written in another way") {
    const InheritedKeyWorld world;
    const SoftwareKey shouting{world.carl.key, certify_key(world.carl.key, authority("CARL"), nullptr)};
    const SoftwareKey henry = InheritedKeyWorld::inherits(InheritedKeyWorld::signer("Henry"), shouting);
    CHECK(world.read(henry, {henry.certificate}, {world.carl.certificate}).report.result == Result::valid);
}

TEST_CASE("parameters are inherited along a trusted path alone") {
    const InheritedKeyWorld world;
    for (const std::vector<Certificate>& anchors :
         {std::vector<Certificate>{}, {world.impostor.certificate}, {world.bench.root.certificate}}) {
        const ReadMail mail = world.read({world.diane.certificate, world.carl.certificate}, anchors);
        CHECK(mail.report.result == Result::invalid);
        CHECK(mail.signer().integrity == Integrity::not_checked);
        CHECK(mail.signer().chain == ChainState::untrusted);
    }
}

TEST_CASE("only who has signed a certificate hands parameters down to it") {
    const InheritedKeyWorld world;
    CHECK_FALSE(with_parameters(world.diane.certificate, world.impostor.certificate));
    CHECK_FALSE(with_parameters(world.diane.certificate, world.erik.certificate));
    const auto completed = with_parameters(world.diane.certificate, world.carl.certificate);
    REQUIRE(completed);
    CHECK(inherits_from(world.diane.certificate, *completed, world.carl.certificate));
    CHECK_FALSE(inherits_from(world.diane.certificate, *completed, world.impostor.certificate));

    // A completed key with other parameters than the issuer's.
    const PrivateKey foreign = key_beside(world.impostor.key);
    const Certificate other = certify_key(foreign, {}, &world.impostor);
    CHECK_FALSE(inherits_from(world.diane.certificate, other, world.carl.certificate));
}

TEST_CASE("parameters are inherited from authority to authority down to who signs") {
    const InheritedKeyWorld world;
    const SoftwareKey plain = certify(InheritedKeyWorld::signer("Plain"), &world.fay);  // with a key of its own kind
    const Certificate erik = world.erik.certificate, fay = world.fay.certificate, gina = world.gina.certificate;
    CHECK(lacks_parameters(erik));
    CHECK(lacks_parameters(fay));
    for (const std::vector<Certificate>& carried : {std::vector{gina, fay, erik}, {erik, gina, fay}}) {
        const ReadMail mail = world.read(world.gina, carried, {world.carl.certificate});
        CHECK(mail.report.result == Result::valid);
        CHECK(mail.signer().certificate == gina);
        CHECK(mail.signer().chain_certs.size() == 4);
        REQUIRE(mail.signer().intermediates.size() == 2);
        CHECK(lacks_parameters(mail.signer().intermediates[0]));  // as they came
        CHECK(lacks_parameters(mail.signer().intermediates[1]));
    }
    const ReadMail beside = world.read(world.gina, {world.impostor.certificate, gina, fay, erik},
                                       {world.impostor.certificate, world.carl.certificate});
    CHECK(beside.report.result == Result::valid);

    // An authority with such a key vouches for others too.
    Trust trust = trust_in({world.carl.certificate});
    trust.allow_weak = true;
    const std::vector<Certificate> between{fay, erik};
    CHECK(validate(plain.certificate, between, trust, Use::signing).trusted);
    CHECK_FALSE(validate(plain.certificate, {}, trust, Use::signing).trusted);
}

TEST_CASE("a path with a gap, another's authority or an anchor without parameters is refused, saying why") {
    const InheritedKeyWorld world;
    const Certificate erik = world.erik.certificate, fay = world.fay.certificate, gina = world.gina.certificate;
    const auto reason = [&](const std::vector<Certificate>& carried, const std::vector<Certificate>& anchors) {
        const ReadMail mail = world.read(world.gina, carried, anchors);
        CHECK(mail.report.result == Result::invalid);
        CHECK(mail.signer().chain == ChainState::untrusted);
        return mail.signer().chain_reason.value_or("");
    };
    const auto lacks = [](const char* whose, const char* from) {
        return fmt::format(
            "the key of CN={},O=Example takes its parameters from that of CN={},O=Example, which is "
            "neither trusted nor known",
            whose, from);
    };
    const Certificate carl = world.carl.certificate;
    CHECK(reason({gina, erik}, {carl}) == lacks("Gina", "Fay"));
    CHECK(reason({gina, fay}, {carl}) == lacks("Fay", "Erik"));
    CHECK(reason({gina, fay, erik}, {}) == lacks("Erik", "Carl"));
    CHECK(reason({gina, fay, erik}, {world.impostor.certificate}) == lacks("Erik", "Carl"));
    CHECK(reason({gina, fay, erik}, {erik}) == lacks("Erik", "Carl"));
    // Parameters that come from no trusted key are none, even for who is trusted.
    for (const Certificate& anchor : {erik, fay, world.bench.root.certificate})
        CHECK(reason({gina, fay, erik, carl}, {anchor}) == "the root CN=Carl,O=Example is not trusted");
}

TEST_CASE("parameters of another key than the issuer's in the path are found out") {
    const InheritedKeyWorld world;
    const Certificate carl = world.carl.certificate, diane = world.diane.certificate;
    const InheritedKeys inherited(diane, {}, {carl});
    CHECK(inherited.incomplete() == nullptr);
    const Certificate& usable = inherited.usable(diane);
    CHECK(inherited.original(usable).get() == diane.get());
    CHECK(inherited.stranger({usable, carl}) == nullptr);
    for (const std::vector<Certificate>& chain :
         {std::vector{usable}, {usable, world.impostor.certificate}, {usable, world.bench.root.certificate}}) {
        const Certificate* stranger = inherited.stranger(chain);
        REQUIRE(stranger != nullptr);
        CHECK(stranger->get() == diane.get());
    }
}

TEST_CASE("a key made to fit the signature on a certificate hands no parameters down to it") {
    const InheritedKeyWorld world;
    CertificateSpec spec = authority("Between");
    const SoftwareKey between = certify(spec, &world.bench.root);
    const SoftwareKey victim = InheritedKeyWorld::inherits(InheritedKeyWorld::signer("Victim"), between);
    const Forgery forgery(victim, between.key.get());
    // It is out of date, so that OpenSSL prefers the real one for the path.
    X509Handle copy(X509_dup(between.certificate.get()));
    REQUIRE(X509_set_pubkey(copy.get(), forgery.issuer.get()) == 1);
    X509_gmtime_adj(X509_getm_notAfter(copy.get()), -3600);
    REQUIRE(X509_sign(copy.get(), world.impostor.key.get(), EVP_sha256()) > 0);
    const Certificate made = Certificate::from_der(Certificate(std::move(copy)).der());
    REQUIRE(with_parameters(victim.certificate, made));

    const std::vector<Certificate> anchors{world.bench.root.certificate};
    const SoftwareKey forger{forgery.subject, victim.certificate};
    const ReadMail forged = world.read(forger, {victim.certificate, made, between.certificate}, anchors);
    CHECK(forged.report.result == Result::invalid);
    CHECK(forged.signer().chain_reason ==
          "CN=Victim,O=Example has a key without parameters, which another issuer's key has");
    CHECK(world.read(victim, {victim.certificate, between.certificate}, anchors).report.result == Result::valid);
}
