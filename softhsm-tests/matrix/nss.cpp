#include "softhsm-tests/matrix/nss.h"

#include <filesystem>

namespace p11mime::test::matrix {

namespace {

constexpr Reason kReasons[] = {
    {"-H requires one of", "no such digest"},           {"the corresponding cert for key", "no such keys"},
    {"SIGNATURE_ALGORITHM_DISABLED", "digest refused"}, {"SignatureAlgorithmUnknown", "no such algorithm"},
    {"status = ProcessingError", "no such algorithm"},  {"DigestMismatch", "content changed"},
    {"SEC_ERROR_UNRECOGNIZED_OID", "no such curve"},    {"SEC_ERROR_INVALID_KEY", "no such curve"},
};

constexpr Reason kRecipientReasons[] = {
    {"SEC_ERROR_UNSUPPORTED_KEYALG", "no OAEP"},
    {"SEC_ERROR_UNRECOGNIZED_OID", "no AuthEnvelopedData"},
    {"SEC_ERROR_BAD_DER", "no ECDH"},
    {"SEC_ERROR_INVALID_ALGORITHM", "no ECDH"},
    {"cannot find certificate", "no such keys"},
    {"other content", "other content"},
};

}  // namespace

NssDatabase::NssDatabase(const People& people) : directory_(people.path("nss")) {
    std::filesystem::create_directory(directory_);
    done(run_process({.arguments = {"certutil", "-N", "-d", directory_, "--empty-password"}}));
    done(run_process({.arguments = {"certutil", "-A", "-d", directory_, "-n", "root", "-t", ",C,", "-a"},
                      .input = people.root_pem()}));
    done(run_process({.arguments = {"certutil", "-A", "-d", directory_, "-n", "intermediate", "-t", ",,", "-a"},
                      .input = people.intermediate_pem()}));
    for (const auto& [kind, person] : people.all()) {
        const std::string file = people.path("import.p12");
        done(run_process(
            {.arguments = {"openssl", "pkcs12", "-export", "-in", person.certificate_pem, "-inkey", person.key_pem,
                           "-passout", "pass:", "-name", person.identity.name, "-out", file}}));
        run_process(
            {.arguments = {"pk12util", "-i", file, "-d", directory_, "-W", ""}});  // the rows tell what it takes
    }
}

Outcome NssDatabase::cmsutil(const Arguments& arguments) const {
    return run_process({.arguments = Arguments{"cmsutil", arguments.front(), "-d", directory_} +
                                     Arguments(arguments.begin() + 1, arguments.end())});
}

std::span<const Reason> NssSignatures::reasons() const {
    return kReasons;
}

std::string NssSignatures::read_one(const SignatureRow& row, const std::string& file) {
    if (row.clear) {
        const std::string content = matrix::detached_content(people_, row, file);
        return answer(keys_.cmsutil({"-D", "-n", "-c", content, "-i", file}));
    }
    return answer_with_text(keys_.cmsutil({"-D", "-i", file}));
}

std::string NssSignatures::write_one(const SignatureRow& row, const std::string& file) {
    Arguments arguments{"-S", "-N", people_.with(row.key).identity.name, "-i", people_.content_file(), "-o", file};
    if (!row.digest.empty()) arguments = arguments + Arguments{"-H", upper_digest(row)};
    if (row.clear) arguments.push_back("-T");
    return answer(keys_.cmsutil(arguments));
}

std::span<const Reason> NssRecipients::reasons() const {
    return kRecipientReasons;
}

std::string NssRecipients::not_run(const RecipientRow& row) const {
    return not_run_but_example(row);
}

std::string NssRecipients::read_one(const RecipientRow&, const std::string& file) {
    return answer_with_text(keys_.cmsutil({"-D", "-i", file}));
}

std::string NssRecipients::write_one(const RecipientRow& row, const std::string& file) {
    return answer(
        keys_.cmsutil({"-E", "-r", people_.with(row.key).identity.email, "-i", people_.content_file(), "-o", file}));
}

}  // namespace p11mime::test::matrix
