#include "softhsm-tests/support/pki.h"

#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

#include <sstream>
#include <stdexcept>

#include "cms/handle.h"

namespace p11mime::test {

namespace {

using RequestHandle = Handle<X509_REQ, X509_REQ_free>;
using ExtensionHandle = Handle<X509_EXTENSION, X509_EXTENSION_free>;

void check(bool done, const char* what) {
    if (!done) throw std::runtime_error(std::string("test PKI: ") + what);
}

BioHandle reader(std::string_view text) {
    return BioHandle(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

std::string written(BIO* bio) {
    char* data = nullptr;
    const long size = BIO_get_mem_data(bio, &data);
    return {data, static_cast<std::size_t>(size)};
}

template <class Write, class Object>
std::string to_pem(Write write, Object* object) {
    const BioHandle bio(BIO_new(BIO_s_mem()));
    check(write(bio.get(), object) == 1, "PEM");
    return written(bio.get());
}

std::string key_to_pem(EVP_PKEY* key) {
    const BioHandle bio(BIO_new(BIO_s_mem()));
    check(PEM_write_bio_PKCS8PrivateKey(bio.get(), key, nullptr, nullptr, 0, nullptr, nullptr) == 1, "key to PEM");
    return written(bio.get());
}

void set_random_serial(X509* certificate) {
    unsigned char bytes[16];
    check(RAND_bytes(bytes, sizeof bytes) == 1, "random");
    bytes[0] = static_cast<unsigned char>((bytes[0] & 0x3f) | 0x40);
    const BignumHandle number(BN_bin2bn(bytes, sizeof bytes, nullptr));
    check(BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(certificate)) != nullptr, "serial number");
}

NameHandle name_of(const std::string& common_name) {
    NameHandle name(X509_NAME_new());
    const auto* text = reinterpret_cast<const unsigned char*>(common_name.c_str());
    check(X509_NAME_add_entry_by_txt(name.get(), "O", MBSTRING_UTF8, reinterpret_cast<const unsigned char*>("Example"),
                                     -1, -1, 0) == 1,
          "name");
    check(X509_NAME_add_entry_by_txt(name.get(), "CN", MBSTRING_UTF8, text, -1, -1, 0) == 1, "name");
    return name;
}

void add_extension(X509* certificate, X509* issuer, const std::string& name, const std::string& value) {
    X509V3_CTX context;
    X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
    X509V3_set_ctx_nodb(&context);
    const ExtensionHandle extension(X509V3_EXT_nconf(nullptr, &context, name.c_str(), value.c_str()));
    check(extension != nullptr, name.c_str());
    check(X509_add_ext(certificate, extension.get(), -1) == 1, name.c_str());
}

struct Authority {
    KeyHandle key;
    X509Handle certificate;
};

constexpr long kHalfDay = 12 * 60 * 60;  // in seconds: no test ends in the second in which a day is over

X509Handle begin_certificate(EVP_PKEY* key, X509_NAME* subject, X509_NAME* issuer, int begins, int ends) {
    X509Handle certificate(X509_new());
    X509_set_version(certificate.get(), X509_VERSION_3);
    set_random_serial(certificate.get());
    X509_set_subject_name(certificate.get(), subject);
    X509_set_issuer_name(certificate.get(), issuer);
    X509_time_adj_ex(X509_getm_notBefore(certificate.get()), begins, 0, nullptr);
    X509_time_adj_ex(X509_getm_notAfter(certificate.get()), ends, kHalfDay, nullptr);
    check(X509_set_pubkey(certificate.get(), key) == 1, "public key");
    return certificate;
}

Authority make_authority(const std::string& name, const Authority* parent) {
    Authority made{generate_key(KeyKind::p256), nullptr};
    const NameHandle subject = name_of(name);
    X509_NAME* issuer = parent == nullptr ? subject.get() : X509_get_subject_name(parent->certificate.get());
    made.certificate = begin_certificate(made.key.get(), subject.get(), issuer, -2, 3650);
    X509* issuing = parent == nullptr ? made.certificate.get() : parent->certificate.get();
    add_extension(made.certificate.get(), issuing, "basicConstraints", "critical,CA:TRUE");
    add_extension(made.certificate.get(), issuing, "keyUsage", "critical,keyCertSign,cRLSign");
    add_extension(made.certificate.get(), issuing, "subjectKeyIdentifier", "hash");
    if (parent != nullptr) add_extension(made.certificate.get(), issuing, "authorityKeyIdentifier", "keyid");
    check(X509_sign(made.certificate.get(), parent == nullptr ? made.key.get() : parent->key.get(), EVP_sha256()) > 0,
          "signing a CA");
    return made;
}

std::string pem_of(X509* certificate) {
    return to_pem([](BIO* bio, X509* x509) { return PEM_write_bio_X509(bio, x509); }, certificate);
}

}  // namespace

struct TestPki::State {
    Authority root = make_authority("Test Root", nullptr);
    Authority intermediate = make_authority("Test Intermediate", &root);
    std::string root_pem = pem_of(root.certificate.get());
    std::string intermediate_pem = pem_of(intermediate.certificate.get());
};

TestPki::TestPki() : state_(std::make_unique<State>()) {}
TestPki::~TestPki() = default;

const std::string& TestPki::root_pem() const {
    return state_->root_pem;
}

const std::string& TestPki::intermediate_pem() const {
    return state_->intermediate_pem;
}

Identity TestPki::issue(const Leaf& leaf) const {
    const KeyHandle key = generate_key(leaf.kind);
    return {leaf.name, leaf.email, leaf.kind, key_to_pem(key.get()), certify(leaf, key.get())};
}

Identity TestPki::issue_for_key(const Leaf& leaf, std::string_view spki_der) const {
    const auto* der = reinterpret_cast<const unsigned char*>(spki_der.data());
    const KeyHandle key(d2i_PUBKEY(nullptr, &der, static_cast<long>(spki_der.size())));
    check(key != nullptr, "no public key");
    return {leaf.name, leaf.email, leaf.kind, "", certify(leaf, key.get())};
}

std::string TestPki::certify(const Leaf& leaf, EVP_PKEY* key) const {
    const Authority& issuer = state_->intermediate;
    const X509Handle certificate =
        begin_certificate(key, name_of(leaf.name).get(), X509_get_subject_name(issuer.certificate.get()),
                          leaf.begins_in_days, leaf.ends_in_days);
    const auto add = [&](const std::string& name, const std::string& value) {
        add_extension(certificate.get(), issuer.certificate.get(), name, value);
    };
    add("basicConstraints", "CA:FALSE");
    add("keyUsage", leaf.key_usage.empty() ? natural_usage(leaf.kind) : leaf.key_usage);
    if (!leaf.extended_key_usage.empty()) add("extendedKeyUsage", leaf.extended_key_usage);
    add("subjectKeyIdentifier", "hash");
    add("authorityKeyIdentifier", "keyid");
    if (!leaf.email.empty()) add("subjectAltName", "email:" + leaf.email);
    std::istringstream lines(leaf.more_extensions);
    for (std::string line; std::getline(lines, line);)
        add(line.substr(0, line.find('=')), line.substr(line.find('=') + 1));
    check(X509_sign(certificate.get(), issuer.key.get(), EVP_sha256()) > 0, "signing a certificate");
    return pem_of(certificate.get());
}

std::string TestPki::issue_for_request(std::string_view request_pem) const {
    const RequestHandle request(PEM_read_bio_X509_REQ(reader(request_pem).get(), nullptr, nullptr, nullptr));
    check(request != nullptr, "no PKCS#10 request");
    EVP_PKEY* key = X509_REQ_get0_pubkey(request.get());
    check(X509_REQ_verify(request.get(), key) == 1, "the request's signature does not verify");
    const Authority& issuer = state_->intermediate;
    const X509Handle certificate = begin_certificate(key, X509_REQ_get_subject_name(request.get()),
                                                     X509_get_subject_name(issuer.certificate.get()), -1, 365);
    STACK_OF(X509_EXTENSION)* asked = X509_REQ_get_extensions(request.get());
    for (int i = 0; i < sk_X509_EXTENSION_num(asked); ++i)
        X509_add_ext(certificate.get(), sk_X509_EXTENSION_value(asked, i), -1);
    sk_X509_EXTENSION_pop_free(asked, X509_EXTENSION_free);
    check(X509_sign(certificate.get(), issuer.key.get(), EVP_sha256()) > 0, "signing a certificate");
    return pem_of(certificate.get());
}

std::string from_pem(std::string_view pem) {
    char* name = nullptr;
    char* header = nullptr;
    unsigned char* data = nullptr;
    long size = 0;
    check(PEM_read_bio(reader(pem).get(), &name, &header, &data, &size) == 1, "no PEM");
    std::string der(reinterpret_cast<const char*>(data), static_cast<std::size_t>(size));
    OPENSSL_free(name);
    OPENSSL_free(header);
    OPENSSL_free(data);
    return der;
}

std::string Identity::key_der() const {
    return from_pem(key_pem);
}

std::string Identity::certificate_der() const {
    return from_pem(certificate_pem);
}

}  // namespace p11mime::test
