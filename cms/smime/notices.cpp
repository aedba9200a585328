#include "cms/smime/notices.h"

#include <algorithm>
#include <iterator>
#include <string>

#include "mime/header.h"
#include "mime/text.h"

namespace p11mime::cms::smime {

namespace {

// Without the full stop at the end, and with the letters of ASCII in lower case.
constexpr std::string_view kNotices[]{
    "this is an s/mime signed message", "this is a s/mime signed message",
    "this is a multi-part message in mime format", "this is a multipart message in mime format",
    "this is a message with multiple parts in mime format",
    "dies ist eine kryptographisch unterzeichnete nachricht im mime-format",
    "dies ist eine mehrteilige nachricht im mime-format", "messaggio multiparte in formato mime",
    "este es un mensaje multiparte en formato mime", "este es un mensaje multipartes en formato mime",
    "ceci est un message au format mime", "dit is een multi-gedeelten-bericht in mime-formaat",
    "det här är ett flerdelat meddelande i mime-format", "this is a mime-formatted message",
    "this is a mime-encapsulated message", "this is a mime encoded message", "this is a multi-part message",
    "this message is in mime format",
    ("this message is in mime format. since your mail reader does not understand this format, some or all of this "
     "message may not be legible"),
    ("this message is in mime format. the first part should be readable text, while the remaining parts are likely "
     "unreadable without mime-aware tools"),
    ("this is a mime message. if you are reading this text, you may want to consider changing to a mail reader or "
     "gateway that understands how to properly handle mime multipart messages"),
    "message en plusieurs parties au format mime", "questo è un messaggio multi-parte scritto in formato mime",
    "detta är ett meddelande som består av flera delar i mime-format",
    // Thunderbird and its forerunners write "This is a cryptographically signed message in MIME format." in the
    // language of their user.
    "acesta este un mesaj semnat prin metode criptografice, în format mime",
    "això és un missatge signat criptogràficament en format mime format",
    "bu, mime biçiminde kriptografik olarak imzalanmış bir iletidir",
    "ceci est un message signé cryptographiquement au format mime",
    "det här är ett kryptografiskt signerat meddelande i mime-format",
    "dette er ei kryptografisk signert melding i mime-format",
    "dette er en kryptografisk signert melding i mime-formatet",
    "dette er en meddelelse med en digital signatur i mime-format",
    "dies ist eine kryptografisch unterzeichnete nachricht im mime-format",
    "dit is een cryptografisch ondertekend bericht in mime-formaat",
    "dit is een cryptografische ondertekend bericht in mime-formaat",
    "dit is in kryptografysk signearre berjocht yn mime-formaat",
    "esta é uma mensagem assinada criptograficamente no formato mime",
    "esta é unha mensaxe asinada cun cifrado en formato mime",
    "este mensaje está firmado criptográficamente con formato mime",
    "esti mensaxe ta robláu criptográficamente con formatu mime",
    "ez egy kriptográfiai módszerrel aláírt, mime formátumban levő üzenet",
    "ini adalah pesan yang ditandatangani secara kriptografis dalam format mime",
    "is teachtaireacht i bhformáid mime atá sínithe go cripteagrafach í seo",
    "isto é uma mensagem criptografada no formato mime", "kryptograficznie podpisana wiadomość w formacie mime",
    "ky është një mesazh në format mime, i nënshkruar kriptografikisht",
    "mae hwn yn neges wedi'i llofnodi'n gryptograffigol yn fformat mime",
    "mime formatuan kriptografikoki sinatutako mezua da hau", "ovo je kriptografski potpisana poruka u mime formatu",
    "quai è in messadi en il format mime suttascrit a moda criptada",
    "questo è un messaggio firmato digitalmente in formato mime",
    "see on mime-vormingus krüptograafiliselt allkirjastatud kiri",
    "seo teachdaireachd le soidhneadh crioptografach san fhòrmat mime",
    "this is a cryptographically signed message in mime format",
    "to je kriptografsko podpisano sporočilo v formatu mime", "toto je elektronicky podepsana zprava ve formatu mime",
    "toto je elektronicky podepsaná zpráva ve formátu mime", "toto je kryptograficky podpísaná správa vo formáte mime",
    "tämä on salakirjoituksella allekirjoitettu viesti mime-muodossa",
    "ur gemennadenn sinet dre rinegouriezh e mentrezh mime eo homañ",
    "Éste es un mensaje firmado criptográficamente en formato mime",
    "Þessi póstur er með rafræna undirskrift á mime sniði", "Đây là một thư được kí mật hóa trong định dạng mime",
    "Šis laiškas yra pasirašytas kriptografiškai mime formatu",
    "Šis laiškas yra pasirašytas skaitmeniškai mime formatu",
    "Αυτό είναι ενα κρυπτογραφημένα υπογεγραμμένο μήνυμα σε μορφή mime",
    "Гэта тайнапісна падпісаны ліст у фармаце mime", "Ово је криптографски потписана порука у формату mime",
    "Това е криптографски подписано писмо във формат mime", "Це кріптографічно підписаний лист у форматі mime",
    "Это сообщение в формате mime подписано с использованием криптографии",
    "Սա կրիպտոգրաֆիկական ստորագրված նամակ է mime տեսակի։", "זוהי הודעה שנחתמה באופן קריפטוגרפי במבנה mime",
    "ეს დაშიფრული ხელმოწერილი გზავნილია mime ფორმატში", "これは暗号で署名された mime 形式のメッセージです。",
    "这是一条 mime 格式加密签名过的消息。", "這是一封使用密碼簽署過的 mime 格式郵件。",
    "암호로 서명된 mime 형식의 메시지입니다"};

std::string one_blank_between_words(std::string_view text) {
    std::string folded;
    for (const char c : text) {
        if (!mime::is_space(c))
            folded += c;
        else if (!folded.ends_with(' '))
            folded += ' ';
    }
    return folded;
}

}  // namespace

bool is_notice(std::string_view text) {
    if (text.starts_with("> ")) text.remove_prefix(2);
    while (text.ends_with('.'))
        text.remove_suffix(1);
    const std::string folded = mime::ascii_lower(one_blank_between_words(text));
    return std::find(std::begin(kNotices), std::end(kNotices), folded) != std::end(kNotices);
}

}  // namespace p11mime::cms::smime
