#include "cms/smime/preview.h"

#include <fmt/format.h>

#include "cms/identifiers.h"
#include "cms/smime/walk.h"

namespace p11mime::cms::smime {

namespace {

SignerVerdict accepted(const Certificate& certificate) {
    SignerVerdict verdict;
    verdict.certificate = certificate;
    verdict.integrity = Integrity::valid;
    verdict.chain = ChainState::trusted;
    return verdict;
}

}  // namespace

// foresee goes through content as if the layers around it were there and good.
void Walk::foresee(Mail mail, ByteView content, const std::vector<Certificate>& signers, bool encrypted) {
    note_mail(std::move(mail));
    Place place{.path = "1", .parent = std::nullopt, .whole = true, .depth = 0};
    if (encrypted) {
        add_layer(LayerType::enveloped, "", place);
        place = place.decrypted_content();
    }
    foreseeing_ = true;
    const std::size_t layer = add_layer(LayerType::signed_data, "", place);
    for (const Certificate& certificate : signers)
        report_.layers[layer].signers.push_back(accepted(certificate));
    try {
        ViewSource front(content);
        Window window(front);
        read_content(window, std::string(oid::kData), place.signed_content(0), false);
    } catch (const Error& error) {
        if (content.size() < kPreviewed)
            doubt(fmt::format("what is signed cannot be read: {}", error.what()));  // else it is only cut off
    }
    report_.layers.resize(layer + 1);  // not judged: those inside
    for (SignerVerdict& signer : report_.layers[layer].signers)
        signer.sender = sender_.mailboxes.empty() ? SenderState::absent : SenderState::match;
    view_senders();
    conclude(report_, sender_, doubts_, true);
}

std::string preview(const Mail& mail, ByteView content, const std::vector<Certificate>& signers, bool encrypted) {
    const ReadOptions options{.task = Task::inspect};
    Knowledge knowledge;
    Workload workload;
    Walk walk(options, nullptr, nullptr, knowledge, workload);
    walk.foresee(mail, content, signers, encrypted);
    return walk.report().reason;
}

}  // namespace p11mime::cms::smime
