#include "softhsm-tests/matrix/openssl.h"

namespace p11mime::test::matrix {

namespace {

constexpr Reason kReasons[] = {
    {"rsa_generate_signature_aid", "no PSS with SHA-3 in CMS"},
    {"unsupported signature algorithm", "no ECDSA with SHA-3 in CMS"},
    {"no default digest", "no EdDSA in CMS"},
    {"eddsa_digest_signverify_init", "no EdDSA in CMS"},
    {"Algorithm (2.16.840.1.101.3.4.2.18", "no SHAKE256 in CMS"},
    {"CMS_SignerInfo_verify_content:verification failure", "content changed"},
};

Arguments form(const SignatureRow& row, const std::string& option) {
    return row.clear ? Arguments{option, "SMIME"} : Arguments{option, "DER", "-binary"};
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

}  // namespace p11mime::test::matrix
