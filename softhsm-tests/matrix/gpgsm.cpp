#include "softhsm-tests/matrix/gpgsm.h"

#include <fmt/format.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>

#include <filesystem>

namespace p11mime::test::matrix {

namespace {

constexpr Reason kReasons[] = {
    {"selected digest algorithm is invalid", "no such digest"},
    {"unknown hash algorithm", "no such digest"},
    {"no signature value available", "no such digest"},
    {"No secret key", "no such keys"},
    {"Invalid length", "digest must be as long as the curve"},
    {"message digest attribute does not match", "content changed"},
    {"bit hash is not valid", "digest shorter than the curve"},
    {"multiple of 8 bits", "not with this kind of key"},
};

/// libgcrypt_name is how gpgsm takes a cipher.
std::string libgcrypt_name(const RecipientRow& row) {
    if (row.cipher == "des-ede3-cbc") return "3DES";
    return row.cipher.ends_with("-cbc") ? "AES" + row.cipher.substr(4, 3) : row.cipher;
}

std::string octets(std::string_view bytes) {
    return fmt::format("{}:{}", bytes.size(), bytes);
}

std::string point(const EVP_PKEY* key) {
    std::string bytes(256, '\0');
    std::size_t size = 0;
    EVP_PKEY_get_octet_string_param(key, OSSL_PKEY_PARAM_PUB_KEY, reinterpret_cast<Byte*>(bytes.data()), bytes.size(),
                                    &size);
    bytes.resize(size);
    return bytes;
}

std::string scalar(const EVP_PKEY* key) {
    BIGNUM* number = nullptr;
    EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_PRIV_KEY, &number);
    const BignumHandle owned(number);
    std::string bytes((static_cast<std::size_t>(EVP_PKEY_get_bits(key)) + 7) / 8, '\0');
    BN_bn2binpad(number, reinterpret_cast<Byte*>(bytes.data()), static_cast<int>(bytes.size()));
    return bytes;
}

/// agent_key is an EC key as the agent keeps it, unprotected: gpgsm imports no such keys from PKCS#12.
std::string agent_key(const EVP_PKEY* key) {
    char group[64];
    EVP_PKEY_get_group_name(key, group, sizeof group, nullptr);
    const int nid = OBJ_sn2nid(group);
    const std::string curve =
        EC_curve_nid2nist(nid) == nullptr ? group : fmt::format("NIST {}", EC_curve_nid2nist(nid));
    return fmt::format("(11:private-key(3:ecc(5:curve{})(1:q{})(1:d{})))", octets(curve), octets(point(key)),
                       octets(scalar(key)));
}

constexpr Reason kRecipientReasons[] = {
    {"error getting IV", "no GCM"},
    {"unsupported algorithm", "no such cipher"},
    {"selected cipher algorithm is invalid", "no such cipher"},
    {"not usable for encryption", "no such keys"},
    {"no password is taken to encrypt with", "writes no password"},
    {"Invalid session key", "no ECDH"},
    {"No secret key", "cannot decrypt it"},
    {"other content", "other content"},
};

}  // namespace

GpgsmHome::GpgsmHome(const People& people) : home_(people.path("gnupg")) {
    std::filesystem::create_directory(home_);
    std::filesystem::permissions(home_, std::filesystem::perms::owner_all);
    const std::string print =
        done(run_process({.arguments = {"openssl", "x509", "-noout", "-fingerprint"}, .input = people.root_pem()}));
    people.file("gnupg/trustlist.txt", with_lf(print.substr(print.find('=') + 1, 59)) + " S relax\n");
    people.file("gnupg/gpgsm.conf", "disable-crl-checks\ndisable-dirmngr\nbatch\npinentry-mode loopback\n");
    people.file("gnupg/gpg-agent.conf", "allow-loopback-pinentry\ns2k-count 65536\n");
    done(run_here({"gpgconf", "--launch", "gpg-agent"}, ""));  // so that the first import need not wait for it
    done(run({"--import", people.trusted_file()}));
    for (const auto& [kind, person] : people.all())
        import(people, person);
}

void GpgsmHome::import(const People& people, const Person& person) const {
    run({"--import", person.certificate_pem});  // the rows tell what it does not take
    const KeyHandle key = private_key_of(person.identity);
    if (EVP_PKEY_is_a(key.get(), "EC") == 1) {
        const std::string file = keygrip(person.identity.email) + ".key";
        std::filesystem::create_directory(home_ + "/private-keys-v1.d");
        people.file("gnupg/private-keys-v1.d/" + file, agent_key(key.get()));
        return;
    }
    const std::string file = people.path("import.p12");
    done(run_process({.arguments = {"openssl", "pkcs12", "-export", "-legacy", "-in", person.certificate_pem, "-inkey",
                                    person.key_pem, "-passout", std::string("pass:") + kPassphrase, "-out", file}}));
    run({"--import", file});
}

std::string GpgsmHome::keygrip(const std::string& email) const {
    const std::string listing = done(run({"--with-keygrip", "--with-colons", "--list-keys", email}));
    const std::size_t line = listing.find("grp:::::::::");
    return line == std::string::npos ? "none" : listing.substr(line + 12, 40);
}

GpgsmHome::~GpgsmHome() {
    run_here({"gpgconf", "--kill", "all"}, "");
}

Outcome GpgsmHome::run(const Arguments& arguments, const std::string& passphrase) const {
    return run_here(Arguments{"gpgsm", "--passphrase-fd", "0"} + arguments, passphrase);
}

Outcome GpgsmHome::run_here(Arguments arguments, const std::string& input) const {
    return run_process({.arguments = std::move(arguments), .environment = {{"GNUPGHOME", home_}}, .input = input});
}

std::span<const Reason> GpgsmSignatures::reasons() const {
    return kReasons;
}

std::string GpgsmSignatures::read_one(const SignatureRow& row, const std::string& file) {
    if (row.clear) {
        const std::string content = matrix::detached_content(people_, row, file);
        return answer(keys_.run({"--verify", file, content}));
    }
    return answer_with_text(keys_.run({"--output", "-", "--verify", file}));
}

std::string GpgsmSignatures::write_one(const SignatureRow& row, const std::string& file) {
    Arguments arguments{"--output", file, "-u", people_.with(row.key).identity.email};
    if (!row.digest.empty()) arguments = arguments + Arguments{"--digest-algo", row.digest};
    arguments.push_back(row.clear ? "--detach-sign" : "--sign");
    arguments.push_back(people_.content_file());
    return answer(keys_.run(arguments));
}

std::span<const Reason> GpgsmRecipients::reasons() const {
    return kRecipientReasons;
}

std::string GpgsmRecipients::not_run(const RecipientRow& row) const {
    return row.way == Way::password ? "" : not_run_but_example(row);
}

std::string GpgsmRecipients::read_one(const RecipientRow& row, const std::string& file) {
    const Arguments command{"--output", "-", "--decrypt", file};
    return answer_with_text(row.way == Way::password ? keys_.run(command, row.secret) : keys_.run(command));
}

std::string GpgsmRecipients::write_one(const RecipientRow& row, const std::string& file) {
    if (row.way == Way::password) return "no password is taken to encrypt with";
    return answer(keys_.run({"--output", file, "--cipher-algo", libgcrypt_name(row), "-r",
                             people_.with(row.key).identity.email, "--encrypt", people_.content_file()}));
}

}  // namespace p11mime::test::matrix
