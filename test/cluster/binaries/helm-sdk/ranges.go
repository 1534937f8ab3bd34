package main

import (
	"encoding/json"
	"io"

	"github.com/Masterminds/semver/v3"
)

// What ranges and versions mean to the library with which Helm reads them.
type rangeQuestions struct {
	Ranges   []string `json:"ranges"`
	Versions []string `json:"versions"`
}

type rangeAnswers struct {
	// One letter a version of the question: "y" inside, "n" outside, "-" for a version that cannot be read.
	// Null for a range that cannot be read.
	Ranges []*string `json:"ranges"`
	// The order against the version that stands before it in the question: -1, 0 or 1. Null where either cannot be read.
	Order []*int `json:"order"`
}

func answerRanges(in io.Reader, out io.Writer) error {
	var questions rangeQuestions
	if err := json.NewDecoder(in).Decode(&questions); err != nil {
		return err
	}
	versions := make([]*semver.Version, len(questions.Versions))
	answers := rangeAnswers{Ranges: []*string{}, Order: []*int{}}
	for i, text := range questions.Versions {
		if version, err := semver.NewVersion(text); err == nil {
			versions[i] = version
		}
		var order *int
		if i > 0 && versions[i] != nil && versions[i-1] != nil {
			compared := versions[i].Compare(versions[i-1])
			order = &compared
		}
		answers.Order = append(answers.Order, order)
	}
	for _, text := range questions.Ranges {
		constraints, err := semver.NewConstraint(text)
		if err != nil {
			answers.Ranges = append(answers.Ranges, nil)
			continue
		}
		letters := make([]byte, len(versions))
		for i, version := range versions {
			switch {
			case version == nil:
				letters[i] = '-'
			case constraints.Check(version):
				letters[i] = 'y'
			default:
				letters[i] = 'n'
			}
		}
		answer := string(letters)
		answers.Ranges = append(answers.Ranges, &answer)
	}
	return json.NewEncoder(out).Encode(answers)
}
