// DSA keys without parameters take those of the key that has issued their certificate (RFC 3279 section 2.3.2).

#include "cms/inherited_key.h"

#include <openssl/dsa.h>

#include <catch2/catch.hpp>

#include "softhsm-tests/cms_craft.h"
#include "softhsm-tests/support/cms_bench.h"

using namespace p11mime;
using namespace p11mime::cms;
using namespace p11mime::cms::smime;
using namespace p11mime::test;

namespace {

constexpr std::string_view kContent = "Content-Type: text/plain\r\n\r\nPay 10 to Bob.\r\n";

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

struct World {
    SoftwareKey carl = certify(authority("Carl"));
    SoftwareKey impostor = certify(authority("Carl"));  // of the same name, with parameters of its own
    SoftwareKey diane = [&] {
        const PrivateKey key = key_beside(carl.key);
        CertificateSpec spec;
        spec.name = "Diane";
        spec.key_usage = "critical,digitalSignature";
        return SoftwareKey{key, without_parameters(certify_key(key, spec, &carl), carl)};
    }();
    CmsBench bench;

    ReadMail read(const std::vector<Certificate>& carried, const std::vector<Certificate>& anchors) const {
        Trust trust = trust_in(anchors);
        trust.allow_weak = true;
        const Bytes info = craft::signer_info({.key = diane,
                                               .attributes = craft::usual_attributes(kContent),
                                               .content = kContent,
                                               .scheme = Ecdsa{Hash::sha256},
                                               .digest_algorithm = {},
                                               .signature_algorithm = der_algorithm("2.16.840.1.101.3.4.3.2")});
        ReadOptions options;
        options.allow_weak = true;
        return bench.verify(craft::signed_data({kContent, {info}, carried}), trust, options);
    }
};

}  // namespace

TEST_CASE("a DSA key verifies with the parameters of the trusted issuer of its certificate") {
    const World world;
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

TEST_CASE("parameters are inherited along a trusted path alone") {
    const World world;
    for (const std::vector<Certificate>& anchors :
         {std::vector<Certificate>{}, {world.impostor.certificate}, {world.bench.root.certificate}}) {
        const ReadMail mail = world.read({world.diane.certificate, world.carl.certificate}, anchors);
        CHECK(mail.report.result == Result::invalid);
        CHECK(mail.signer().integrity == Integrity::not_checked);
        CHECK(mail.signer().chain == ChainState::untrusted);
    }
}

TEST_CASE("only who has signed a certificate hands parameters down to it") {
    const World world;
    const std::vector<Certificate> impostors{world.impostor.certificate},
        both{world.impostor.certificate, world.carl.certificate};
    CHECK_FALSE(with_parameters(world.diane.certificate, impostors));
    const auto completed = with_parameters(world.diane.certificate, both);
    REQUIRE(completed);
    CHECK(inherits_from(world.diane.certificate, *completed, world.carl.certificate));
    CHECK_FALSE(inherits_from(world.diane.certificate, *completed, world.impostor.certificate));

    // A completed key with other parameters than the issuer's.
    const PrivateKey foreign = key_beside(world.impostor.key);
    const Certificate other = certify_key(foreign, {}, &world.impostor);
    CHECK_FALSE(inherits_from(world.diane.certificate, other, world.carl.certificate));
}
