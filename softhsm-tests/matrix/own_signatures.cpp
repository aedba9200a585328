#include "softhsm-tests/matrix/own_signatures.h"

#include <fmt/format.h>

#include "cms/algorithms.h"
#include "softhsm-tests/support/table.h"

namespace p11mime::test::matrix {

namespace {

constexpr char kSequence = 0x30;  // of DER

std::string base64(std::string_view bytes) {
    std::string text(4 * ((bytes.size() + 2) / 3), '\0');
    EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()), reinterpret_cast<const unsigned char*>(bytes.data()),
                    static_cast<int>(bytes.size()));
    std::string lines;
    for (std::size_t at = 0; at < text.size(); at += 76)
        lines += text.substr(at, 76) + "\r\n";
    return lines;
}

const cms::Algorithm* digest(const SignatureRow& row) {
    return cms::algorithm_named(cms::AlgorithmKind::digest, row.digest);
}

/// clear_signed is multipart/signed around kText with a peer's bare signature.
std::string clear_signed(const SignatureRow& row, std::string_view signature_der) {
    const cms::Algorithm* hash = digest(row);
    const std::string micalg = hash != nullptr               ? std::string(hash->micalg)
                               : row.key == KeyKind::ed25519 ? "sha-512"
                                                             : "shake256";
    return fmt::format(
        "MIME-Version: 1.0\r\nContent-Type: multipart/signed; boundary=b1; micalg={}; "
        "protocol=\"application/pkcs7-signature\"\r\n\r\n--b1\r\n{}\r\n--b1\r\n"
        "Content-Type: application/pkcs7-signature\r\nContent-Transfer-Encoding: base64\r\n\r\n{}\r\n--b1--\r\n",
        micalg, kText, base64(signature_der));
}

}  // namespace

std::string write_signed(People& people, const SignatureRow& row, SignedForm form) {
    cms::smime::SignOptions options;
    options.form = form;
    options.opaque = !row.clear;
    options.detached = row.clear && form != SignedForm::smime;
    options.entity = true;
    if (!row.digest.empty()) {
        const cms::Algorithm* hash = digest(row);
        if (hash == nullptr) throw std::runtime_error("unsupported algorithm " + row.digest);
        options.digest = hash->hash;
    }
    options.pss = row.pss;
    const cms::SystemClock clock;
    const std::string message = run(*cms::smime::sign_job({&people.signer(row.key)}, clock, options), kText);
    return row.broken && !options.detached ? changed(message) : message;
}

std::string read_signed(const People& people, const SignatureRow& row, const std::string& message) {
    cms::Trust trust = people.trust();
    trust.allow_weak = true;
    cms::smime::ReadOptions options;
    options.task = cms::smime::Task::verify;
    options.sender_check = cms::smime::SenderCheck::off;
    options.allow_weak = true;
    const auto job = cms::smime::read_job(nullptr, &trust, options);
    const std::string content = run(*job, message);
    if (job->report().result != cms::smime::Result::valid) return job->report().reason;
    const cms::smime::SignerVerdict& signer = job->report().layers.at(0).signers.at(0);
    if (signer.signature != row.signature || (!row.digest.empty() && signer.digest != row.digest))
        return fmt::format("it is {} with {}", signer.signature, signer.digest);
    if (with_crlf(content) != kText) return "other content";
    return signer.strength == cms::smime::Strength::weak ? "weak" : kOk;
}

std::string received(const SignatureRow& row, const std::string& message) {
    const std::string whole = row.clear && message.starts_with(kSequence) ? clear_signed(row, message) : message;
    return row.broken ? changed(whole) : whole;
}

}  // namespace p11mime::test::matrix
