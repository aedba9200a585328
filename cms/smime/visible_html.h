#pragma once

#include <string>

namespace p11mime::cms::smime {

/// VisibleHtml gives the text of HTML, a character at a time: without its comments, with a line end for each tag, and
/// with references to characters of ASCII resolved. It takes what ends them as browsers do (the HTML Standard, section
/// 13.2.5), but does not know style sheets, scripts or what is hidden.
class VisibleHtml {
  public:
    /// take gives what there is to see once a character is read.
    std::string take(char c);

  private:
    enum class State {
        text,
        opened,       ///< behind "<"
        closing,      ///< behind "</"
        declaration,  ///< behind "<!"
        comment,
        other,  ///< goes on to the next ">"
        tag,
        attributes,
        value,  ///< behind "="
        unquoted,
        quoted,
        reference,
        number,
    };

    std::string take_text(char c);
    std::string take_opened(char c);
    std::string take_declaration(char c);
    std::string take_comment(char c);
    std::string take_tag(char c);
    std::string take_reference(char c);
    std::string take_number(char c);

    State state_ = State::text;
    bool named_ = false;   ///< an attribute, which has no value yet
    char quote_ = 0;       ///< of a value
    unsigned dashes_ = 0;  ///< at the end of a comment so far
    bool begins_ = false;  ///< nothing but dashes is in the comment
    std::string name_;     ///< of a reference
    unsigned base_ = 10;   ///< of a reference by number
    unsigned number_ = 0;
};

}  // namespace p11mime::cms::smime
