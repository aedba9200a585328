// What mail programs write before the parts of a multipart.

#include <catch2/catch.hpp>

#include "cms/smime/notices.h"
#include "softhsm-tests/support/mail.h"

using namespace p11mime;
using namespace p11mime::cms::smime;
using namespace p11mime::test;

TEST_CASE("the notices of mail programs are known in the languages of their users, and no text in them") {
    for (const std::string notice :
         {"This is a cryptographically signed message in MIME format.", "This is an S/MIME signed message",
          "Dies ist eine mehrteilige Nachricht im MIME-Format.", "Message en plusieurs parties au format MIME",
          "Ez egy kriptográfiai módszerrel aláírt, MIME formátumban levő üzenet.",
          "Это сообщение в формате MIME подписано с использованием криптографии.",
          "これは暗号で署名された MIME 形式のメッセージです。", "זוהי הודעה שנחתמה באופן קריפטוגרפי במבנה MIME.",
          "Kryptograficznie podpisana wiadomość w formacie MIME.",
          "This is a MIME message. If you are reading this text, you may want to \r\nconsider changing to a mail "
          "reader or "
          "gateway that understands how to \r\nproperly handle MIME multipart messages."}) {
        CAPTURE(notice);
        CHECK(is_notice(notice));
        CHECK(is_notice("> " + replaced(notice, " ", "\r\n  ")));
        for (const std::string& with_text : {notice + " Pay Eve.", "Pay Eve. " + notice, notice + "\r\n\r\n" + notice,
                                             replaced(notice, " ", " Eve "), replaced(notice, "MIME", "Eve MIME")})
            CHECK_FALSE(is_notice(with_text));
    }
    CHECK_FALSE(is_notice(""));
    CHECK_FALSE(is_notice("This message was checked by Eve, in MIME format."));
}
