#include "cli/html_page.h"

#include <fmt/format.h>

#include <algorithm>

#include "cli/header_words.h"
#include "cli/html_coverage.h"
#include "cli/html_markup.h"
#include "cli/html_style.h"
#include "cli/html_svg.h"
#include "cli/signer_words.h"
#include "cli/terminal.h"
#include "cli/verdict.h"
#include "cms/digests.h"
#include "mime/codec.h"

namespace p11mime::cli {

namespace {

using namespace cms::smime;

std::string capitalised(std::string text) {
    if (!text.empty() && text.front() >= 'a' && text.front() <= 'z')
        text.front() = static_cast<char>(text.front() - 32);
    return text;
}

bool is_shown(const Layer& layer) {
    return layer.type == LayerType::signed_data || is_encrypted(layer.type) || layer.type == LayerType::authenticated;
}

std::string size_text(std::uint64_t bytes) {
    if (bytes < 1024) return fmt::format("{} bytes", bytes);
    if (bytes < 1024 * 1024) return fmt::format("{:.1f} KiB", static_cast<double>(bytes) / 1024);
    return fmt::format("{:.1f} MiB", static_cast<double>(bytes) / (1024 * 1024));
}

std::string names_of(const Layer& layer, const Report& report) {
    std::vector<std::string> names;
    for (const SignerVerdict& signer : layer.signers)
        names.push_back(isolated(person(signer, report.from)));
    return names.empty() ? "nobody" : fmt::format("{}", fmt::join(names, " and by "));
}

// Page is put together from the top.
class Page {
  public:
    Page(const Report& report, const std::optional<MailText>& mail, cms::Time now)
        : report_(report), mail_(mail), now_(now), coverage_(report, mail.value_or(MailText{})) {}

    std::string text() {
        head();
        verdict();
        html_ += "<main>\n";
        layers();
        warnings();
        message();
        html_ += "</main>\n";
        html_ += fmt::format(
            "<footer><p>Made by p11mime on {}. It says what held then; whoever can write this file can change what it "
            "says.</p></footer>\n</body>\n</html>\n",
            cms::format_time(now_));
        return std::move(html_);
    }

  private:
    void head() {
        const std::string style(html_style());
        const std::string hash = mime::base64_text(cms::digest_of(cms::Hash::sha256, bytes_of(style)));
        std::string title = verdict_words(report_).headline;
        if (mail_ && report_.subject) title += ": " + shortened(*report_.subject, kLongestName);
        html_ = fmt::format(
            "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
            "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'sha256-{}'; "
            "base-uri 'none'; form-action 'none'\">\n"
            "<meta name=\"referrer\" content=\"no-referrer\">\n"
            "<meta name=\"format-detection\" content=\"telephone=no, email=no, address=no, date=no\">\n"
            "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
            "<title>{}</title>\n<style>{}</style>\n</head>\n<body>\n",
            hash, markup(title), style);
    }

    void verdict() {
        const VerdictWords words = verdict_words(report_);
        html_ += fmt::format("<header>\n<div class=\"verdict {}\">\n", class_of(verdict_tone(report_)));
        signs();
        html_ += fmt::format("<div>\n<h1>{}</h1>\n", markup(words.headline));
        if (!words.cause.empty()) html_ += fmt::format("<p><strong>Why:</strong> {}</p>\n", markup(words.cause));
        if (!words.remedy.empty())
            html_ += fmt::format("<p><strong>What can be done:</strong> {}</p>\n", markup(words.remedy));
        html_ += "</div>\n</div>\n</header>\n";
    }

    // The seal and the lock of the whole mail; each is as good as the worst layer of its kind.
    void signs() {
        std::optional<Tone> seal, lock;
        for (const Layer& layer : report_.layers) {
            if (!is_shown(layer)) continue;
            auto& sign = layer.type == LayerType::signed_data ? seal : lock;
            sign = std::max(sign.value_or(Tone::plain), layer_tone(report_, layer));
        }
        if (!seal && !lock) return;
        html_ += "<div class=\"signs\">";
        if (seal) html_ += seal_picture(*seal, "Signed: " + std::string(said(*seal)));
        if (lock) html_ += lock_picture(*lock, "Encrypted: " + std::string(said(*lock)));
        html_ += "</div>\n";
    }

    static std::string_view said(Tone tone) {
        switch (tone) {
            case Tone::good:
                return "good";
            case Tone::caution:
                return "with reservations";
            case Tone::bad:
                return "broken";
            case Tone::plain:
                break;
        }
        return "not judged";
    }

    void layers() {
        if (report_.result == Result::error) return;
        html_ += "<section aria-labelledby=\"proof\">\n<h2 id=\"proof\">Signature and encryption</h2>\n";
        const bool any = std::any_of(report_.layers.begin(), report_.layers.end(), is_shown);
        if (!any)
            html_ += fmt::format("<p>There is no signature and no encryption{}.</p>\n",
                                 report_.openpgp ? " in the form of S/MIME" : "");
        for (const Layer& layer : report_.layers)
            if (is_shown(layer)) this->layer(layer);
        html_ += "</section>\n";
    }

    void layer(const Layer& layer) {
        const Tone tone = layer_tone(report_, layer);
        const bool is_signed = layer.type == LayerType::signed_data;
        html_ += fmt::format(
            "<details class=\"{}\">\n<summary>{}<span><strong>{}</strong><span class=\"quiet\">{}, {}"
            "</span></span></summary>\n<div class=\"behind\">\n",
            class_of(tone), is_signed ? seal_picture(tone) : lock_picture(tone),
            is_signed ? signature_text(layer, tone) : encryption_text(layer), said(tone), extent(layer));
        for (const SignerVerdict& signer : layer.signers)
            this->signer(signer, Role::signer);
        recipients(layer);
        html_ += "</div>\n</details>\n";
    }

    std::string extent(const Layer& layer) const {
        if (signs_ciphertext(report_, layer)) return "over the encrypted form of the whole mail";
        return layer.covers_whole ? "over the whole mail"
                                  : fmt::format("over a part of the mail only ({})", layer.path);
    }

    std::string signature_text(const Layer& layer, Tone tone) const {
        return (tone == Tone::good ? "Signed by " : "Signed in the name of ") + names_of(layer, report_);
    }

    std::string encryption_text(const Layer& layer) const {
        const std::string cipher = layer.cipher.value_or(layer.algorithm.value_or("an unknown algorithm"));
        if (layer.type == LayerType::authenticated)
            return markup(fmt::format("Authenticated with {} and a key that is shared", cipher));
        std::string text = fmt::format("Encrypted with {}", cipher);
        if (layer.strength == Strength::weak) text += ", weak";
        if (layer.authenticated == false)
            text += protected_by_signature(report_, layer) ? ", protected against changes by the signature inside"
                                                           : ", not protected against changes";
        return markup(text);
    }

    void signer(const SignerVerdict& signer, Role role) {
        html_ += fmt::format("<h3>{} {}</h3>\n", role == Role::signer ? "Signer:" : "Countersigned by",
                             isolated(person(signer, report_.from)));
        facts(signer_facts(signer, true, role));
        chain(chain_of(signer));
        for (const SignerVerdict& each : signer.countersignatures)
            this->signer(each, Role::countersigner);
    }

    void chain(const Chain& chain) {
        if (chain.certificates.empty()) return;
        html_ += fmt::format("<figure>\n{}\n</figure>\n<h3>Certificates of the chain</h3>\n<ul>\n",
                             chain_picture(chain, chains_++));
        for (const cms::Certificate& each : chain.certificates)
            html_ += fmt::format("<li>{}<br><span class=\"quiet\">SHA-256 fingerprint {}</span></li>\n",
                                 isolated(shortened(each.subject(), kLongestName)), each.fingerprint_sha256());
        html_ += "</ul>\n";
    }

    void facts(const std::vector<Fact>& list) {
        html_ += "<dl>\n";
        for (const Fact& fact : list)
            html_ += fmt::format("<dt>{}</dt><dd>{}</dd>\n", markup(capitalised(fact.label)),
                                 isolated(shortened(fact.text, kLongestText)));
        html_ += "</dl>\n";
    }

    void recipients(const Layer& layer) {
        if (layer.recipients.empty()) return;
        for (const RecipientSummary& each : layer.recipients)
            if (each.key) own_key(*each.key);
        html_ += "<h3>Recipients</h3>\n<ul>\n";
        for (const RecipientSummary& each : layer.recipients)
            html_ += fmt::format("<li>{}, {}{}</li>\n", isolated(shortened(each.identifier, kLongestName)),
                                 markup(each.key_management), each.used ? ", opened with this one's key" : "");
        html_ += "</ul>\n";
    }

    void own_key(const OwnKey& key) {
        html_ += fmt::format("<h3>Opened with the key of {}</h3>\n", isolated(key_person(key)));
        facts(key_facts(key));
        if (key.path) chain(chain_of(*key.path));
    }

    void warnings() {
        if (report_.warnings.empty()) return;
        html_ += "<section aria-labelledby=\"warnings\">\n<h2 id=\"warnings\">Warnings</h2>\n<ul>\n";
        for (const Warning& warning : report_.warnings)
            html_ += fmt::format("<li>{}</li>\n", isolated(shortened(warning.message, kLongestText)));
        html_ += "</ul>\n</section>\n";
    }

    void message() {
        html_ += "<section aria-labelledby=\"message\">\n<h2 id=\"message\">Message</h2>\n";
        if (!mail_) {
            html_ += fmt::format("<p>The message is not shown, because it {}.</p>\n</section>\n",
                                 report_.result == Result::error ? "was not judged" : "is not to be relied on");
            return;
        }
        fields();
        parts(mail_->parts, 3);
        if (mail_->more_parts > 0) html_ += fmt::format("<p>{} more parts are not shown.</p>\n", mail_->more_parts);
        if (mail_->broken) html_ += "<p>The message is malformed; what follows could not be shown.</p>\n";
        html_ += "</section>\n";
    }

    void fields() {
        if (mail_->fields.empty()) return;
        html_ += "<dl>\n";
        for (const MailField& field : mail_->fields)
            this->field(field, protects_header(report_) ? field_words(report_, field.name) : std::nullopt);
        html_ += fmt::format("</dl>\n<p class=\"quiet\">These lines are the mail's header{}.{}</p>\n",
                             protects_header(report_) ? "" : ", which no signature covers",
                             sender_matches() ? " The sender's address is one of the certificate's." : "");
    }

    void field(const MailField& field, const std::optional<std::string>& words) {
        std::vector<std::string> values;
        for (const MailField::Person& each : field.persons)
            values.push_back(each.name.empty()
                                 ? isolated(each.mailbox)
                                 : fmt::format("{} &lt;{}&gt;", isolated(each.name), isolated(each.mailbox)));
        if (!field.text.empty()) values.push_back(isolated(field.text));
        html_ += fmt::format("<dt>{}</dt><dd>{}{}</dd>\n", markup(field.name), fmt::join(values, ", "),
                             words ? fmt::format("<br><span class=\"quiet\">{}</span>", *words) : "");
    }

    bool sender_matches() const {
        if (report_.result != Result::valid) return false;
        return std::any_of(report_.layers.begin(), report_.layers.end(), [&](const Layer& layer) {
            if (signs_ciphertext(report_, layer)) return false;
            return std::any_of(layer.signers.begin(), layer.signers.end(),
                               [](const SignerVerdict& signer) { return signer.sender == SenderState::match; });
        });
    }

    // A part that several signatures are over is as good as the worst of them.
    std::pair<std::string, Tone> cover(const MailPart& part) const {
        std::vector<std::string> names;
        Tone worst = Tone::plain;
        for (const Layer* layer : coverage_.over(part)) {
            names.push_back(names_of(*layer, report_));
            worst = std::max(worst, layer_tone(report_, *layer));
        }
        if (names.empty()) return {"Not covered by any signature", Tone::plain};
        const std::string by = fmt::format("{}", fmt::join(names, " and by "));
        if (worst == Tone::good) return {"Covered by the signature of " + by, worst};
        return {fmt::format("Covered by a signature in the name of {}, which is {}", by,
                            worst == Tone::bad ? "broken" : "not to be relied on by itself"),
                worst};
    }

    // parts is those of the mail or of one attached to it; `level` is that of the headings among them.
    void parts(const std::vector<MailPart>& list, std::size_t level) {
        for (const MailPart& part : list) {
            if (part.kind == MailPart::Kind::mail)
                attached_mail(part, level);
            else if (!is_attachment(part))
                this->part(part);
        }
        attachments(list, level);
    }

    // What the signatures around an attached mail are over is said of each of its parts.
    void attached_mail(const MailPart& mail, std::size_t level) {
        const std::size_t number = ++attached_mails_;
        html_ += fmt::format(
            "<section class=\"attached\" aria-labelledby=\"attached-{0}\">\n"
            "<h{1} id=\"attached-{0}\">Attached mail</h{1}>\n",
            number, level);
        if (!mail.fields.empty()) html_ += "<dl>\n";
        for (const MailField& each : mail.fields)
            field(each, std::nullopt);
        if (!mail.fields.empty()) html_ += "</dl>\n";
        html_ += fmt::format("<p class=\"quiet\">{}</p>\n",
                             mail.fields.empty() ? "It says nothing of itself: not from whom it is, nor about what."
                                                 : "This is what the attached mail claims of itself; it was not "
                                                   "checked.");
        if (!mail.remark.empty()) html_ += fmt::format("<p class=\"quiet\">Note: {}.</p>\n", markup(mail.remark));
        parts(mail.parts, level + 1);
        html_ += "</section>\n";
    }

    void part(const MailPart& part) {
        const auto [text, tone] = cover(part);
        const bool covered = tone != Tone::plain;
        html_ += fmt::format(
            "<article class=\"part {}{}\">\n<p class=\"cover\">{}<span>{}</span></p>\n<div class=\"inside\">\n",
            class_of(tone), covered ? "" : " none", covered ? seal_picture(tone) : "", text);
        if (part.kind == MailPart::Kind::html) {
            html_ += fmt::format(
                "<p>An HTML text ({}) is not shown: it could hide what it says, or fetch something."
                "</p>\n",
                size_text(part.bytes));
        } else {
            html_ += fmt::format("<pre lang=\"\" dir=\"auto\">{}</pre>\n", markup_lines(part.text));
            if (part.cut)
                html_ += fmt::format("<p class=\"quiet\">The text goes on: only its beginning is shown, of {}.</p>\n",
                                     size_text(part.bytes));
        }
        if (!part.remark.empty()) html_ += fmt::format("<p class=\"quiet\">Note: {}.</p>\n", markup(part.remark));
        html_ += "</div>\n</article>\n";
    }

    void attachments(const std::vector<MailPart>& list, std::size_t level) {
        if (std::none_of(list.begin(), list.end(), is_attachment)) return;
        html_ += fmt::format("<h{0}>Attachments</h{0}>\n<ul>\n", level);
        for (const MailPart& part : list) {
            if (!is_attachment(part)) continue;
            html_ += fmt::format("<li><strong>{}</strong>, {}, {}{}{}<br><span class=\"quiet\">{}</span></li>\n",
                                 part.name.empty() ? "without a name" : isolated(part.name), isolated(part.type),
                                 size_text(part.bytes), part.closed.empty() ? "" : ", " + part.closed,
                                 part.remark.empty() ? "" : ", " + markup(part.remark), cover(part).first);
        }
        html_ += "</ul>\n";
    }

    static bool is_attachment(const MailPart& part) {
        return part.kind == MailPart::Kind::attachment || part.kind == MailPart::Kind::closed;
    }

    const Report& report_;
    const std::optional<MailText>& mail_;
    cms::Time now_;
    Coverage coverage_;
    std::size_t chains_ = 0;
    std::size_t attached_mails_ = 0;
    std::string html_;
};

}  // namespace

std::string html_page(const Report& report, const std::optional<MailText>& mail, cms::Time now) {
    return Page(report, mail, now).text();
}

}  // namespace p11mime::cli
