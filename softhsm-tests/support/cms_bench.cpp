#include "softhsm-tests/support/cms_bench.h"

#include <algorithm>
#include <stdexcept>

#include "cms/der.h"
#include "cms/smime/writers.h"
#include "softhsm-tests/mime_pieces.h"
#include "softhsm-tests/support/office.h"

namespace p11mime::test {

namespace {

using cms::smime::ReadOptions;
using cms::smime::Task;

constexpr int kMaxPasses = 20;

}  // namespace

ReadMail read_mail(std::string_view mail, cms::DecrypterSource* keys, const cms::Trust* trust, ReadOptions options) {
    const auto job = cms::smime::read_job(keys, trust, std::move(options));
    std::string content = run(*job, mail);
    return {job->report(), std::move(content)};
}

std::string ReadMail::used() const {
    for (const cms::smime::RecipientSummary& recipient : report.layers.at(0).recipients)
        if (recipient.used) return recipient.key_management;
    return "none";
}

std::string run(cms::Job& job, std::string_view input, std::size_t piece_size) {
    for (int pass = 0; pass < kMaxPasses; ++pass) {
        PieceSource source(input, piece_size);
        BytesSink output;
        if (job.pass(source, output)) return std::string(text_of(output.bytes));
    }
    throw std::runtime_error("the job does not come to an end");
}

const cms::smime::SignerVerdict& ReadMail::signer() const {
    if (report.layers.size() != 1 || report.layers[0].signers.size() != 1)
        throw std::runtime_error("not one layer with one signer");
    return report.layers[0].signers[0];
}

cms::Trust trust_in(std::vector<cms::Certificate> anchors, std::vector<cms::Certificate> intermediates) {
    cms::Trust trust;
    trust.anchors.push_back(std::make_shared<cms::MemoryCertificates>(std::move(anchors)));
    trust.intermediates.push_back(std::make_shared<cms::MemoryCertificates>(std::move(intermediates)));
    trust.clock = std::make_shared<cms::SystemClock>();
    return trust;
}

SoftwareKey CmsBench::bob(KeyKind kind) const {
    CertificateSpec spec;
    spec.name = "Bob";
    spec.alternative_name = "email:bob@example.gov";
    spec.kind = kind;
    return issue(spec);
}

std::string CmsBench::sign(const std::vector<SoftwareKey>& signers, std::string_view mail,
                           const cms::smime::SignOptions& options) const {
    std::vector<SoftwareSigner> keys(signers.begin(), signers.end());
    std::vector<cms::Signer*> pointers;
    for (SoftwareSigner& key : keys)
        pointers.push_back(&key);
    const cms::SystemClock clock;
    return run(*cms::smime::sign_job(pointers, clock, options), mail);
}

std::string CmsBench::encrypt(const std::vector<cms::smime::Recipient>& recipients, std::string_view mail,
                              const cms::smime::EncryptOptions& options) const {
    return run(*cms::smime::encrypt_job(recipients, options), mail);
}

ReadMail CmsBench::verify(std::string_view mail, ReadOptions options) const {
    return verify(mail, trust(), std::move(options));
}

ReadMail CmsBench::verify(std::string_view mail, const cms::Trust& trusted, ReadOptions options) const {
    options.task = Task::verify;
    return read_mail(mail, nullptr, &trusted, std::move(options));
}

ReadMail CmsBench::decrypt(std::string_view mail, const std::vector<SoftwareKey>& keys,
                           const cms::GivenSecrets& secrets) const {
    SoftwareKeys source(keys);
    ReadOptions options;
    options.task = Task::decrypt;
    options.secrets = secrets;
    return read_mail(mail, &source, nullptr, std::move(options));
}

ReadMail CmsBench::open(std::string_view mail, const std::vector<SoftwareKey>& keys,
                        const cms::GivenSecrets& secrets) const {
    SoftwareKeys source(keys);
    const cms::Trust trusted = trust();
    ReadOptions options;
    options.secrets = secrets;
    return read_mail(mail, &source, &trusted, std::move(options));
}

ReadMail CmsBench::inspect(std::string_view mail) const {
    ReadOptions options;
    options.task = Task::inspect;
    return read_mail(mail, nullptr, nullptr, std::move(options));
}

Outcome CmsBench::try_openssl(const std::vector<std::string>& arguments, std::string_view input) const {
    Command command;
    command.arguments = std::vector<std::string>{"openssl"} + arguments;
    command.input = std::string(input);
    return run_process(command);
}

std::string CmsBench::openssl(const std::vector<std::string>& arguments, std::string_view input) const {
    Outcome outcome = try_openssl(arguments, input);
    if (outcome.status != 0) {
        std::string line = "openssl";
        for (const std::string& argument : arguments)
            line += " " + argument;
        throw std::runtime_error(line + ": " + outcome.err);
    }
    return std::move(outcome.out);
}

std::string CmsBench::file(std::string_view content) const {
    const std::string path = directory_ / std::to_string(files_++);
    write_file(path, content);
    return path;
}

std::vector<std::string> CmsBench::signer_options(const SoftwareKey& key) const {
    return {"-signer", certificate_file(key), "-inkey", key_file(key)};
}

std::string CmsBench::trusted_file() const {
    return file(root.certificate.pem() + intermediate.certificate.pem());
}

std::string enveloped(std::string_view content, std::string_view cipher,
                      const std::function<std::vector<Bytes>(const SecretBytes&)>& infos_of) {
    cms::smime::EncryptionState state = cms::smime::new_encryption_state({}, *cms::smime::content_cipher(cipher));
    Bytes in_their_order;
    for (const Bytes& info : infos_of(state.key))
        in_their_order = cms::concat({in_their_order, info});
    state.recipient_infos = cms::der_value(cms::tag::kSet, in_their_order);
    BytesSink counted, written;
    for (BytesSink* to : {&counted, &written}) {
        const auto writer = cms::smime::encrypted_writer(*to, state, cms::smime::Form::der);
        writer->push(bytes_of(content));
        writer->finish();
    }
    return std::string(text_of(written.bytes));
}

Error caught(const std::function<void()>& action) {
    try {
        action();
    } catch (const Error& error) {
        return error;
    }
    throw std::runtime_error("no error where one should be");
}

}  // namespace p11mime::test
