#include "cli/remember.h"

#include <fmt/format.h>

#include <algorithm>

#include "cli/recipients.h"

namespace p11mime::cli {

namespace {

using cms::smime::SignerVerdict;

bool of_same_owner(const cms::Certificate& encryption, const cms::Certificate& signing) {
    const auto emails = encryption.emails();
    return !emails.empty() && std::all_of(emails.begin(), emails.end(),
                                          [&](const std::string& email) { return signing.has_email(email); });
}

bool fit_for_encryption(Context& context, const SignerVerdict& signer) {
    const cms::Certificate& encryption = *signer.encryption_certificate;
    return encryption.allows_encryption() && of_same_owner(encryption, *signer.certificate) &&
           validate(encryption, signer.intermediates, trust_to_encrypt(context), cms::Use::encryption).trusted;
}

void remember_signer(Context& context, const SignerVerdict& signer) {
    if (!signer.certificate) return;
    // What told of that may not be at hand when something is encrypted later.
    if (!signer.revoked_since.empty())
        return context.warn("not-remembered",
                            fmt::format("the certificate {} is not remembered: {}", signer.certificate->subject(),
                                        signer.revoked_since.front().text()));
    AddressBook& book = *context.book();
    book.put(*signer.certificate, signer.capabilities, "mail", context.now());
    // Encrypting to the signer later needs the path, which perhaps came in this mail alone.
    for (const cms::Certificate& each : signer.intermediates)
        book.put(each, std::nullopt, "mail", context.now());
    if (!signer.encryption_certificate || *signer.encryption_certificate == *signer.certificate) return;
    if (fit_for_encryption(context, signer))
        book.put(*signer.encryption_certificate, signer.capabilities, "mail", context.now());
    else
        context.warn("not-remembered", fmt::format("the encryption certificate {} is not remembered: it is not of the "
                                                   "signer's addresses or not trusted",
                                                   signer.encryption_certificate->subject()));
}

}  // namespace

void remember(Context& context, const cms::smime::Report& report) {
    if (report.result != cms::smime::Result::valid) {
        context.voice().say("nothing remembered, since the mail is not valid");
        return;
    }
    for (const auto& layer : report.layers)
        for (const SignerVerdict& signer : layer.signers)
            if (layer.covers_whole && signer.integrity == cms::Integrity::valid &&
                signer.chain == cms::smime::ChainState::trusted)
                remember_signer(context, signer);
}

}  // namespace p11mime::cli
