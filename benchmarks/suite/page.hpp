// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

/// A page that can be written as HTML and as Markdown.
namespace mellow::suite::page {

/// A paragraph of plain text.
struct Text {
  std::string text;
};

/// A table of plain texts. The verdicts "holds", "does not hold", "left open" and "not testable here" are shown as marks.
struct Table {
  std::vector<std::string> columns;
  std::vector<std::vector<std::string>> rows;  ///< each as long as the heading
  std::string folded{};                        ///< a name, under which the table is folded away; empty: it is shown
};

/// A picture in a file.
struct Picture {
  std::filesystem::path file;  ///< an SVG
  std::string caption;
};

using Block = std::variant<Text, Table, Picture>;

/// A part of the page, with a heading.
struct Section {
  std::string title;
  std::vector<Block> blocks{};
};

/// The page as one HTML file that needs no other: pictures are in it, and no script. Throws Error where a picture cannot
/// be read.
std::string html(std::string_view title, const std::vector<Section>& sections);

/// The page as Markdown, whose pictures are links relative to `folder`.
std::string markdown(std::string_view title, const std::vector<Section>& sections, const std::filesystem::path& folder);

/// Bytes in base64 (RFC 4648).
std::string base64(std::string_view bytes);

}  // namespace mellow::suite::page
