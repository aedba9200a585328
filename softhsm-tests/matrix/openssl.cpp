#include "softhsm-tests/matrix/openssl.h"

#include <fmt/format.h>

namespace p11mime::test::matrix {

namespace {

constexpr Reason kReasons[] = {
    {"rsa_generate_signature_aid", "no PSS with SHA-3 in CMS"},
    {"unsupported signature algorithm", "no ECDSA with SHA-3 in CMS"},
    {"no default digest", "no EdDSA in CMS"},
    {"eddsa_digest_signverify_init", "no EdDSA in CMS"},
    {"Algorithm (2.16.840.1.101.3.4.2.18", "no SHAKE256 in CMS"},
    {"EncryptedContent_init_bio:unknown cipher", "no such cipher in CMS"},
    {"unsupported content encryption algorithm", "no such cipher in CMS"},
    {"illegal zero content", "no such cipher in CMS"},
    {"operation not supported for this keytype", "no X25519 or X448 in CMS"},
    {"no matching recipient", "no X25519 or X448 in CMS"},
    {"evp_cipher_param_to_asn1_ex:cipher parameter error", "no password with GCM"},
    {"other content", "other content"},
    {"Error decrypting CMS structure", "content changed"},
    {"CMS_SignerInfo_verify_content:verification failure", "content changed"},
};

Arguments form(const SignatureRow& row, const std::string& option) {
    return row.clear ? Arguments{option, "SMIME"} : Arguments{option, "DER", "-binary"};
}

Arguments secret(const RecipientRow& row) {
    return row.way == Way::kek ? Arguments{"-secretkey", row.secret, "-secretkeyid", kKekId}
                               : Arguments{"-pwri_password", row.secret};
}

/// recipient is the options that name a recipient's certificate and the key management to it.
Arguments recipient(const Person& person, const RecipientRow& row) {
    Arguments arguments{"-recip", person.certificate_pem};
    const auto add = [&](const std::string& option) { arguments = arguments + Arguments{"-keyopt", option}; };
    if (row.way == Way::rsa_oaep) {
        add("rsa_padding_mode:oaep");
        add("rsa_oaep_md:" + row.hash);
        add("rsa_mgf1_md:" + row.mgf);
        if (!row.label.empty()) add("rsa_oaep_label:" + row.label);
    }
    if (row.way == Way::ecdh) {
        add("ecdh_kdf_md:" + row.hash);
        add(fmt::format("ecdh_cofactor_mode:{}", row.cofactor ? 1 : 0));
        arguments.push_back(fmt::format("-aes{}-wrap", 8 * row.wrap));
    }
    return arguments;
}

Arguments cipher(const RecipientRow& row) {
    if (row.cipher == "rc2-40-cbc") return {"-provider", "default", "-provider", "legacy", "-rc2-40-cbc"};
    if (row.cipher == "rc2-128-cbc") return {"-provider", "default", "-provider", "legacy", "-rc2-cbc"};
    return {"-" + row.cipher};
}

}  // namespace

std::span<const Reason> OpenSslSignatures::reasons() const {
    return kReasons;
}

std::string OpenSslSignatures::read_one(const SignatureRow& row, const std::string& file) {
    return answer_with_text(run_process(
        {.arguments = Arguments{"openssl", "cms", "-verify", "-in", file, "-CAfile", people_.trusted_file()} +
                      form(row, "-inform")}));
}

std::string OpenSslSignatures::write_one(const SignatureRow& row, const std::string& file) {
    const Person& person = people_.with(row.key);
    Arguments arguments = Arguments{"openssl", "cms",
                                    "-sign",   "-binary",
                                    "-in",     people_.content_file(),
                                    "-signer", person.certificate_pem,
                                    "-inkey",  person.key_pem,
                                    "-out",    file} +
                          form(row, "-outform");
    if (!row.clear) arguments.push_back("-nodetach");
    if (!row.digest.empty()) arguments = arguments + Arguments{"-md", row.digest};
    if (row.pss)
        arguments = arguments + Arguments{"-keyopt", "rsa_padding_mode:pss", "-keyopt", "rsa_pss_saltlen:digest"};
    return answer(run_process({.arguments = arguments}));
}

std::span<const Reason> OpenSslRecipients::reasons() const {
    return kReasons;
}

std::string OpenSslRecipients::read_one(const RecipientRow& row, const std::string& file) {
    const Arguments command{"openssl", "cms", "-decrypt", "-debug_decrypt", "-inform", "DER", "-in", file};
    if (!row.secret.empty()) return answer_with_text(run_process({.arguments = command + secret(row)}));
    const Person& person = people_.with(row.key);
    return answer_with_text(
        run_process({.arguments = command + Arguments{"-recip", person.certificate_pem, "-inkey", person.key_pem}}));
}

std::string OpenSslRecipients::write_one(const RecipientRow& row, const std::string& file) {
    const Arguments command{"openssl", "cms",  "-encrypt", "-binary", "-outform",
                            "DER",     "-out", file,       "-in",     people_.content_file()};
    return answer(
        run_process({.arguments = command + cipher(row) +
                                  (row.secret.empty() ? recipient(people_.with(row.key), row) : secret(row))}));
}

}  // namespace p11mime::test::matrix
