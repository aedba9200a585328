#include "cli/html_svg.h"

#include <fmt/format.h>

#include <vector>

#include "cli/html_markup.h"
#include "cli/signer_words.h"
#include "cli/terminal.h"

namespace p11mime::cli {

namespace {

constexpr int kBoxWidth = 230;  // what a phone has room for, so that text is as large there as it is drawn
constexpr int kBoxHeight = 84;
constexpr int kGap = 30;
constexpr std::size_t kMostLetters = 26;  // of a line in a box; the list beside the picture has more

// The mark in the middle of a sign, 24 wide and high around the origin.
std::string_view mark(Tone tone) {
    switch (tone) {
        case Tone::good:
            return R"svg(<path class="mark" d="M-8 0l5 6 11-12"/>)svg";
        case Tone::caution:
            return R"svg(<path class="mark" d="M0-9v10M0 7.5v.5"/>)svg";
        case Tone::bad:
            return R"svg(<path class="mark" d="M-7-7l14 14M7-7l-14 14"/>)svg";
        case Tone::plain:
            break;
    }
    return R"svg(<path class="mark" d="M-7 0h14"/>)svg";
}

std::string sign(std::string_view kind, Tone tone, const std::string& label, std::string_view shape) {
    const std::string said =
        label.empty() ? R"(aria-hidden="true")" : fmt::format(R"(role="img" aria-label="{}")", markup(label));
    return fmt::format(R"(<svg class="sign {} {}" viewBox="-24 -26 48 52" {}>{}</svg>)", kind, class_of(tone), said,
                       shape);
}

struct Box {
    std::string role;
    std::string name;
    std::vector<std::string> notes;
    std::string_view style;
};

// What does not fit is cut off by the box, an <svg> of its own.
std::string box_picture(const Box& box, int y) {
    std::string picture = fmt::format(
        R"svg(<svg x="0" y="{}" width="{}" height="{}" class="box {}"><rect x="1.5" y="1.5" width="{}" height="{}" rx="10"/>)svg"
        R"svg(<text x="12" y="20" class="role">{}</text><text x="12" y="39" class="name">{}</text>)svg",
        y, kBoxWidth, kBoxHeight, box.style, kBoxWidth - 3, kBoxHeight - 3, markup(box.role),
        markup(shortened(box.name, kMostLetters)));
    int line = 57;
    for (const std::string& note : box.notes) {
        picture += fmt::format(R"(<text x="12" y="{}" class="note">{}</text>)", line, markup(note));
        line += 17;
    }
    return picture + "</svg>";
}

std::string arrow_picture(int y) {
    return fmt::format(
        R"(<path class="arrow" d="M28 {}v{}m-6-7l6 7 6-7"/><text x="44" y="{}" class="note">issued by</text>)", y + 4,
        kGap - 8, y + kGap / 2 + 5);
}

std::string role_of(const Chain& chain, std::size_t at) {
    const std::string owner(chain.owner);
    const bool end = at == 0, last = at + 1 == chain.certificates.size();
    if (last && chain.anchored)
        return end                                    ? owner + ", trusted by itself"
               : chain.certificates[at].self_issued() ? "Root, trusted"
                                                      : "Authority, trusted";
    if (last && chain.certificates[at].self_issued()) return end ? owner + ", self-certified" : "Root, not trusted";
    return end ? owner : "Authority";
}

// lacks_issuer says whether a chain ends below an authority that is not at hand: that is what is wrong then.
bool lacks_issuer(const Chain& chain) {
    return !chain.anchored && !chain.certificates.empty() && !chain.certificates.back().self_issued();
}

// refused is the certificate of the chain that it is not trusted for; nothing where that is none of them.
std::optional<std::size_t> refused(const Chain& chain) {
    return lacks_issuer(chain) ? std::nullopt : chain.fault;
}

std::vector<Box> boxes_of(const Chain& chain) {
    std::vector<Box> boxes;
    for (std::size_t i = 0; i < chain.certificates.size(); ++i) {
        const cms::Certificate& certificate = chain.certificates[i];
        Box box{role_of(chain, i),
                certificate_name(certificate),
                {fmt::format("valid from {}", day(certificate.not_before())),
                 fmt::format("to {}", day(certificate.not_after()))},
                chain.trusted ? "good" : "plain"};
        if (refused(chain) == i) {
            if (chain.anchored) box.role += ": refused";
            box.style = "caution";
        }
        boxes.push_back(std::move(box));
    }
    if (lacks_issuer(chain))
        boxes.push_back(
            {"Authority, not at hand", chain.certificates.back().issuer(), {"neither trusted nor known"}, "missing"});
    return boxes;
}

std::string description(const Chain& chain, const std::vector<Box>& boxes) {
    std::string text = shortened(boxes.front().name, kLongestName);
    for (std::size_t i = 1; i < boxes.size(); ++i)
        text += fmt::format("{} {}", i == 1 ? ", issued by" : ", which was issued by",
                            shortened(boxes[i].name, kLongestName));
    if (chain.trusted) return text + ", which is trusted.";
    const auto why = refused(chain);
    return text + ". The chain is not trusted" +
           (why ? fmt::format(", for {}.", shortened(boxes[*why].name, kLongestName)) : ".");
}

}  // namespace

std::string_view class_of(Tone tone) {
    switch (tone) {
        case Tone::good:
            return "good";
        case Tone::caution:
            return "caution";
        case Tone::bad:
            return "bad";
        case Tone::plain:
            break;
    }
    return "plain";
}

std::string seal_picture(Tone tone, const std::string& label) {
    return sign(
        "seal", tone, label,
        fmt::format(
            R"svg(<path class="ribbon" d="M-10 8l-5 17 7-4 6 5 4-14M10 8l5 17-7-4-6 5-4-14"/>)svg"
            R"svg(<path class="body" d="M0-25l5.5 4 6.8-1 2.6 6.3 6.3 2.6-1 6.8 4 5.5-4 5.5 1 6.8-6.3 2.6-2.6 )svg"
            R"svg(6.3-6.8-1-5.5 4-5.5-4-6.8 1-2.6-6.3-6.3-2.6 1-6.8-4-5.5 4-5.5-1-6.8 6.3-2.6 2.6-6.3 6.8 1z")svg"
            R"svg( transform="translate(0 -3) scale(.86)"/><g transform="translate(0 -4)">{}</g>)svg",
            mark(tone)));
}

std::string lock_picture(Tone tone, const std::string& label) {
    return sign("lock", tone, label,
                fmt::format(R"svg(<path class="shackle" d="M-10 -2v-8a10 10 0 0 1 20 0v8"/>)svg"
                            R"svg(<rect class="body" x="-18" y="-3" width="36" height="27" rx="5"/>)svg"
                            R"svg(<g transform="translate(0 10.5) scale(.9)">{}</g>)svg",
                            mark(tone)));
}

Chain chain_of(const cms::smime::SignerVerdict& signer) {
    return {"Signer", signer.chain_certs, signer.chain == cms::smime::ChainState::trusted, signer.chain_anchored,
            signer.chain_fault};
}

Chain chain_of(const cms::PathVerdict& path) {
    return {"Recipient", path.chain, path.trusted, path.anchored, path.at_fault};
}

std::string chain_picture(const Chain& chain, std::size_t id) {
    const std::vector<Box> boxes = boxes_of(chain);
    if (boxes.empty()) return {};
    const int height = static_cast<int>(boxes.size()) * (kBoxHeight + kGap) - kGap;
    std::string picture =
        fmt::format(R"svg(<svg class="chain" viewBox="0 0 {0} {1}" role="img" aria-labelledby="chain-{2}-title )svg"
                    R"svg(chain-{2}-text"><title id="chain-{2}-title">Chain of certificates</title>)svg"
                    R"svg(<desc id="chain-{2}-text">{3}</desc>)svg",
                    kBoxWidth, height, id, markup(description(chain, boxes)));
    int y = 0;
    for (std::size_t i = 0; i < boxes.size(); ++i) {
        if (i > 0) picture += arrow_picture(y - kGap);
        picture += box_picture(boxes[i], y);
        y += kBoxHeight + kGap;
    }
    return picture + "</svg>";
}

}  // namespace p11mime::cli
