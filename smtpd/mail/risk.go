package mail

import (
	"bytes"
	"strings"
)

// Risk says what opening an attachment can do to the machine of its reader, by
// its name, type and first bytes. It is a warning, no virus check.
type Risk string

const (
	// NoKnownRisk is a file that programs only show.
	NoKnownRisk Risk = ""
	// RiskExecutable is a file that Windows, macOS or Linux runs when it is
	// opened, or that mounts or installs one that it runs.
	RiskExecutable Risk = "executable"
	// RiskMacro is a document that carries a program, which office programs ask about.
	RiskMacro Risk = "macro"
)

// riskByExtension holds extensions, without their dot. The types are those that
// the systems themselves treat as programs.
var riskByExtension = extensions(map[Risk]string{
	RiskExecutable: // Windows: programs, scripts, settings and links that run
	"exe com scr pif cpl msi msp mst msc msix appx appxbundle msixbundle appinstaller bat cmd ps1 ps1xml ps2 psc1 psc2 psd1 psm1 " +
		"vb vbs vbe vbscript js jse mjs ws wsf wsh wsc sct hta inf reg rgs scf lnk url website library-ms search-ms settingcontent-ms " +
		"application appref-ms gadget diagcab chm hlp dll ocx sys drv xll wll one xbap theme themepack desktopthemepackfile rdp ade adp mde " +
		// disk images, which carry such files past the mark of the web
		"iso img vhd vhdx udf wim " +
		// Java, macOS, Linux, Android
		"jar jnlp class app dmg pkg mpkg command tool terminal action workflow scpt scptd applescript osax fileloc inetloc webloc mobileconfig " +
		"sh bash zsh csh ksh run elf appimage deb rpm flatpakref snap desktop py pyc pyw pyz pl rb apk",
	RiskMacro: "docm dotm xlsm xltm xlam xlsb pptm potm ppam ppsm sldm odb accdb accde mdb slk iqy dqy oqy",
})

func extensions(lists map[Risk]string) map[string]Risk {
	byExtension := map[string]Risk{}
	for risk, list := range lists {
		for extension := range strings.FieldsSeq(list) {
			byExtension[extension] = risk
		}
	}
	return byExtension
}

var riskByType = map[string]Risk{
	"application/x-msdownload": RiskExecutable, "application/x-dosexec": RiskExecutable, "application/x-msdos-program": RiskExecutable,
	"application/vnd.microsoft.portable-executable": RiskExecutable, "application/x-ms-installer": RiskExecutable, "application/x-msi": RiskExecutable,
	"application/hta": RiskExecutable, "application/x-ms-shortcut": RiskExecutable, "application/java-archive": RiskExecutable,
	"application/x-java-jnlp-file": RiskExecutable, "application/x-sh": RiskExecutable, "application/x-shellscript": RiskExecutable,
	"application/javascript": RiskExecutable, "application/x-javascript": RiskExecutable, "text/javascript": RiskExecutable,
	"text/vbscript": RiskExecutable, "application/x-apple-diskimage": RiskExecutable, "application/x-iso9660-image": RiskExecutable,
	"application/x-executable": RiskExecutable, "application/x-mach-binary": RiskExecutable, "application/vnd.android.package-archive": RiskExecutable,
	"application/vnd.ms-word.document.macroenabled.12": RiskMacro, "application/vnd.ms-word.template.macroenabled.12": RiskMacro,
	"application/vnd.ms-excel.sheet.macroenabled.12": RiskMacro, "application/vnd.ms-excel.template.macroenabled.12": RiskMacro,
	"application/vnd.ms-excel.addin.macroenabled.12": RiskMacro, "application/vnd.ms-excel.sheet.binary.macroenabled.12": RiskMacro,
	"application/vnd.ms-powerpoint.presentation.macroenabled.12": RiskMacro, "application/vnd.ms-powerpoint.slideshow.macroenabled.12": RiskMacro,
}

// riskOf judges a file by every name it was given, since programs choose
// differently among them, by its type and by its first bytes.
func riskOf(names []string, contentType string, data []byte) Risk {
	for _, name := range names {
		if risk := riskOfName(name); risk != NoKnownRisk {
			return risk
		}
	}
	if risk := riskByType[contentType]; risk != NoKnownRisk {
		return risk
	}
	if isProgram(data) {
		return RiskExecutable
	}
	return NoKnownRisk
}

// riskOfName goes by the last extension, as systems do, however many stand
// before it ("invoice.pdf.exe").
func riskOfName(name string) Risk {
	// Windows drops dots and blanks at the end of a name before it looks.
	name = strings.ToLower(strings.TrimRight(name, ". \u3000"))
	dot := strings.LastIndexAny(name, ".．。｡")
	if dot < 0 {
		return NoKnownRisk
	}
	return riskByExtension[narrow(strings.TrimLeft(name[dot:], ".．。｡"))]
}

// narrow makes full-width letters and digits the plain ones they look like.
func narrow(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= 0xFF01 && r <= 0xFF5E {
			return r - 0xFEE0
		}
		return r
	}, s)
}

// isProgram knows the programs of the three systems by their first bytes,
// whatever they are called.
func isProgram(data []byte) bool {
	for _, magic := range []string{"\x7FELF", "\xFE\xED\xFA\xCE", "\xFE\xED\xFA\xCF", "\xCE\xFA\xED\xFE", "\xCF\xFA\xED\xFE"} {
		if bytes.HasPrefix(data, []byte(magic)) {
			return true
		}
	}
	// A Windows program begins with "MZ" and says where its real header is.
	const pointer = 0x3C
	if bytes.HasPrefix(data, []byte("MZ")) && len(data) > pointer+4 {
		at := int(data[pointer]) | int(data[pointer+1])<<8 | int(data[pointer+2])<<16
		return at+2 <= len(data) && string(data[at:at+2]) == "PE"
	}
	return false
}
